// What calls cost from C++, by zt.hpp. As calls.c.
#include <zt.hpp>

#include <cstdio>
#include <functional>

namespace {

struct measured {
    const char *name;
    std::function<bool()> call;
    long of_calls = 1;
};

// One line: nanoseconds of each case.
bool sample(const std::vector<measured> &cases, long calls) {
    using clock = std::chrono::steady_clock;
    bool right = true;
    for (const measured &one : cases) {
        const long count = calls / one.of_calls + 1;
        const auto began = clock::now();
        for (long at = 0; at < count; at++) {
            right = one.call() && right;
        }
        const std::chrono::duration<double, std::nano> all = clock::now() - began;
        std::printf("%.1f ", all.count() / static_cast<double>(count));
    }
    std::printf("\n");
    return std::fflush(stdout) == 0 && right;
}

} // namespace

int main(int argc, char **argv) {
    const long calls = argc == 3 ? std::atol(argv[2]) : 0;
    const char *token = std::getenv("ZT_TOKEN");
    if (calls < 1 || token == nullptr) {
        return 2;
    }
    auto zt = zt::runtime::open(argv[1]);
    if (!zt) {
        return 2;
    }
    auto job = zt->authenticate(token).and_then([](zt::session caller) { return caller.claiming(201, 2); });
    if (!job) {
        return 2;
    }
    auto resource = job->locate("secret:bureau-api-key");
    auto key = job->secret_handle("bureau-api-key");
    if (!resource || !key) {
        return 2;
    }
    const std::vector<std::string> many(100, "secret:bureau-api-key");
    const std::vector<measured> cases{
        {"nothing", [] { return !zt_decision_is_allowed(nullptr); }},
        {"handle",
         [&] {
             auto allowed = job->check_at("secret.get", *resource);
             return allowed && *allowed;
         }},
        {"text",
         [&] {
             auto decision = job->check("secret.get", "secret:bureau-api-key");
             return decision && decision->is_allowed();
         }},
        {"secret", [&] { return key->read().has_value(); }},
        {"many",
         [&] {
             auto allowed = job->check_many("secret.get", many);
             return allowed && allowed->back();
         },
         static_cast<long>(many.size())},
    };
    for (const measured &one : cases) {
        std::printf("%s ", one.name);
    }
    std::printf("\n");
    bool right = std::fflush(stdout) == 0;
    while (right && std::getchar() != EOF) {
        right = sample(cases, calls);
    }
    return zt->close(std::chrono::minutes(1)) && right ? 0 : 1;
}
