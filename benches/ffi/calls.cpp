// What calls cost from C++, by zt.hpp. As calls.c.
#include <zt.hpp>

#include <algorithm>
#include <cstdio>

namespace {

template <class Call> bool measure(const char *name, long calls, long samples, Call call) {
    using clock = std::chrono::steady_clock;
    std::vector<double> took;
    bool right = call();
    for (long sample = 0; sample < samples; sample++) {
        const auto began = clock::now();
        for (long at = 0; at < calls; at++) {
            right = call() && right;
        }
        const std::chrono::duration<double, std::nano> all = clock::now() - began;
        took.push_back(all.count() / static_cast<double>(calls));
    }
    std::sort(took.begin(), took.end());
    std::printf("%.1f %.1f %s\n", took[took.size() / 2], took.front(), name);
    return right;
}

} // namespace

int main(int argc, char **argv) {
    const long calls = argc == 4 ? std::atol(argv[2]) : 0;
    const long samples = argc == 4 ? std::atol(argv[3]) : 0;
    const char *token = std::getenv("ZT_TOKEN");
    if (calls < 1 || samples < 1 || token == nullptr) {
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
    const bool right =
        measure("C++: check_at", calls, samples, [&] {
            auto allowed = job->check_at("secret.get", *resource);
            return allowed && *allowed;
        }) &&
        measure("C++: check", calls, samples, [&] {
            auto decision = job->check("secret.get", "secret:bureau-api-key");
            return decision && decision->is_allowed();
        }) &&
        measure("C++: secret_handle::read", calls, samples, [&] { return key->read().has_value(); });
    return right && zt->close(std::chrono::minutes(1)) ? 0 : 1;
}
