// Job 201 from C++: it asks, reads its secret, seals what it made, and what it may not do is explained.
//
//   cargo xtask install-c --prefix ~/.local
//   cmake -S examples/cpp -B target/cpp -DCMAKE_PREFIX_PATH=$HOME/.local && cmake --build target/cpp
//
// Tokens, the secret and the key of the sample world are made as examples/README.md says.
#include <zt.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

using namespace std::chrono_literals;

// The message is for this process's own log; a remote caller would get public_message().
int complain(const zt::error &error) {
    std::cerr << error.code() << ' ' << error.message() << '\n';
    return 1;
}

std::string_view token(const char *variable) {
    const char *value = std::getenv(variable);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

// The key leaves zt for the time of this call; nothing is copied, and zt wipes it.
zt::result<zt::session> use_the_key(zt::session job) {
    auto key = job.secret("bureau-api-key");
    if (!key) {
        return std::move(key).error();
    }
    std::cout << "bureau-api-key: " << key->bytes().size() << " bytes, version " << key->version() << '\n';
    return job;
}

// What is sealed here opens for whom the tables name, and for nobody else.
zt::result<std::size_t> seal_and_open(const zt::session &job, const zt::session &risk) {
    constexpr std::string_view scores = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n"
                                        "70000,20K - 40K,0.703953,0.99,1\n";
    auto batch = zt::batch::from_csv(scores);
    auto sealer = job.sealer("loan_scores_delta");
    if (!batch || !sealer) {
        return std::move(batch ? sealer.error() : batch.error());
    }
    auto sealed = sealer->seal(*batch);
    if (!sealed) {
        return std::move(sealed).error();
    }
    auto opener = risk.opener("loan_scores_delta", *sealed);
    if (!opener) {
        return std::move(opener).error();
    }
    auto plain = opener->unseal(*sealed);
    if (!plain) {
        return std::move(plain).error();
    }
    return plain->rows();
}

int run(const zt::runtime &zt) {
    auto job = zt.authenticate(token("ZT_TOKEN")).and_then([](zt::session caller) { return caller.claiming(201, 2); });
    auto risk = zt.authenticate(token("ZT_RISK"));
    auto security = zt.authenticate(token("ZT_SECURITY"));
    if (!job || !risk || !security) {
        return complain(!job ? job.error() : !risk ? risk.error() : security.error());
    }
    auto model = job->locate("model:car_loan_scorer"); // once; a request's path calls check_at
    auto allowed = std::move(model).and_then([&](const zt::located &at) { return job->check_at("model.infer", at); });
    if (!allowed) {
        return complain(allowed.error());
    }
    std::cout << "model.infer: " << (*allowed ? "allow" : "deny") << '\n';

    auto after = std::move(job).and_then(use_the_key);
    if (!after) {
        return complain(after.error());
    }
    auto rows = seal_and_open(*after, *risk);
    if (!rows) {
        return complain(rows.error());
    }
    std::cout << "sealed and opened: " << *rows << " row\n";

    auto refused = after->secret("sql-loans-password");
    auto why = refused ? std::nullopt : refused.error().decision();
    if (!why) {
        std::cerr << "the database's password was not refused\n";
        return 1;
    }
    std::cout << "sql-loans-password: " << why->kind() << '\n';
    auto explained = security->explain(*why); // near misses are for the security team alone
    if (!explained) {
        return complain(explained.error());
    }
    std::cout << "explained: " << explained->view() << '\n';
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    const std::string folder = argc > 1 ? argv[1] : "examples/world";
    auto zt = zt::runtime::open(folder);
    if (!zt) {
        return complain(zt.error());
    }
    int code = run(*zt);
    // The audit log is written before this answers: nothing happened here that it does not tell.
    if (auto closed = zt->close(5s); !closed) {
        return complain(closed.error());
    }
    auto report = zt::audit_verify(folder + "/.zt/audit");
    if (!report) {
        return complain(report.error());
    }
    std::cout << "audit log: " << (report->second ? "intact" : "damaged") << '\n';
    return report->second ? code : 1;
}
