// The contract of zt.hpp, under C++17 and later, with and without exceptions.
//
// argv: the world's folder. The environment has tokens: ZT_MAYA, ZT_SCORE, ZT_INES, ZT_JONAS, ZT_PRIYA. Prints how many checks
// hold.
#include <zt.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace {

using namespace std::chrono_literals;

constexpr std::string_view needle = "zt-needle-bureau-3f0c";
int held = 0;
int failed = 0;

#define CHECK(what)                                                                                                    \
    do {                                                                                                               \
        if (what) {                                                                                                    \
            held++;                                                                                                    \
        } else {                                                                                                       \
            failed++;                                                                                                  \
            std::fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #what);                                            \
        }                                                                                                              \
    } while (0)

std::string_view variable(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

zt::session sign_in(const zt::runtime &zt, const char *name) {
    auto session = zt.authenticate(variable(name));
    CHECK(session);
    return std::move(*session);
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

void results() {
    static_assert(!std::is_copy_constructible_v<zt::secret> && std::is_nothrow_move_constructible_v<zt::secret>);
    static_assert(!std::is_copy_constructible_v<zt::runtime> && !std::is_copy_constructible_v<zt::error>);
    static_assert(!std::is_convertible_v<zt::result<int>, bool>);
    zt::result<int> good = 7;
    zt::result<int> bad = zt::error(ZT_STATUS_DENIED, "no");
    CHECK(good && *good == 7 && good.status() == ZT_STATUS_OK);
    CHECK(!bad && bad.error().status() == ZT_STATUS_DENIED && bad.error().message() == "no");
    CHECK(bad.error().code() == "ZT-1001" && bad.error().help().empty() && !bad.error().decision());
    auto twice = [](int value) { return zt::result<long>(2L * value); };
    CHECK(*std::move(good).and_then(twice) == 14);
    CHECK(std::move(bad).and_then(twice).status() == ZT_STATUS_DENIED);
    const zt::result<void> not_done = zt::error(ZT_STATUS_DENIED, "no");
    CHECK(not_done.error().message() == "no");
    auto none = zt::runtime::open("nowhere");
    CHECK(!none && none.status() == ZT_STATUS_CONFIG && has(none.error().message(), "zt.toml"));
    CHECK(!none.error().help().empty() && !none.error().cause().empty() && none.error().http_status() == 500);
    auto set = zt::runtime::open("nowhere", {{"status.folder", "run"}});
    CHECK(!set && set.status() == ZT_STATUS_CONFIG);
    auto unknown = zt::runtime::open("nowhere", {{"mode", std::string("a\0b", 3)}});
    CHECK(!unknown && unknown.status() == ZT_STATUS_INVALID_ARGUMENT);
}

void decisions(const zt::session &maya, const zt::session &priya) {
    using namespace std::literals;
    auto allowed = maya.check("model.infer", "model:car_loan_scorer");
    CHECK(allowed && allowed->is_allowed() && allowed->kind() == "allow" && allowed->policies() == "[\"AP-01\"]");
    auto denied = maya.check("table.read", "table:raw.loan_applications");
    CHECK(denied && !denied->is_allowed() && denied->kind() == "explicit_deny" && !denied->why().empty());
    CHECK(maya.require("model.infer", "model:car_loan_scorer"));
    auto refused = maya.require("data.open", "output:loan_scores_delta");
    CHECK(!refused && refused.error().is_denied() && refused.error().http_status() == 403);
    auto why = refused.error().decision();
    CHECK(why && why->kind() == "default_deny");
    auto explained = priya.explain(*why);
    CHECK(explained && has(explained->view(), "default_deny"));
    // C would read another question than was asked.
    auto cut = maya.check("model.infer", "model:car_loan_scorer\0.other"sv);
    CHECK(!cut && cut.status() == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(maya.check("model.infer", std::string(5000, 'x')).status() == ZT_STATUS_INVALID_ARGUMENT);
    auto model = maya.locate("model:car_loan_scorer");
    CHECK(model && *maya.check_at("model.infer", *model));
    auto many = maya.check_many("table.read", {"table:gold.loan_scores", "table:raw.loan_applications"});
    CHECK(many && many->size() == 2 && !(*many)[1]);
    CHECK(maya.check_many("table.read", {})->empty());
}

void secrets(const zt::runtime &zt, const zt::session &job, const zt::session &maya) {
    auto key = job.secret("bureau-api-key");
    CHECK(key && key->bytes().text() == needle && key->version().size() == 32 && !key->stale_for());
    zt::secret moved = std::move(*key);
    CHECK(moved.bytes().text() == needle && key->get() == nullptr && key->bytes().empty());
    CHECK(maya.secret("bureau-api-key").error().is_denied());
    auto handle = job.secret_handle("bureau-api-key");
    CHECK(handle && handle->read()->bytes().text() == needle);
    CHECK(zt.invalidate("bureau-api-key") && zt.invalidate("no-such").status() == ZT_STATUS_NOT_FOUND);

    std::mutex lock;
    std::condition_variable moved_on;
    int told = 0;
    auto done = [&](zt::result<zt::secret> found) {
        const std::lock_guard<std::mutex> here(lock);
        told += found && found->bytes().text() == needle ? 1 : 100;
        moved_on.notify_one();
    };
    for (int at = 0; at < 10; at++) {
        CHECK(job.secret_async("bureau-api-key", {60s, done}));
    }
    {
        std::unique_lock<std::mutex> here(lock);
        moved_on.wait(here, [&] { return told >= 10; });
        CHECK(told == 10);
    }
    auto operation = job.secret_async("bureau-api-key");
    auto found = operation->wait(60s);
    CHECK(operation->is_done() && found && found->bytes().text() == needle);
    CHECK(operation->wait(0ms).status() == ZT_STATUS_INVALID_ARGUMENT); // Taken already.
    auto refused = maya.secret_async("bureau-api-key")->wait(60s);
    CHECK(!refused && refused.error().is_denied() && refused.error().decision());
    auto session = zt.authenticate_async(variable("ZT_MAYA"))->wait(60s);
    CHECK(session && session->name() == "user:maya");
}

void sealing(const zt::session &job, const zt::session &ines, const zt::session &jonas) {
    constexpr std::string_view csv = "id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred\n1,20K,0.7,0.9,1\n";
    auto batch = zt::batch::from_csv(csv);
    CHECK(batch && batch->rows() == 1);
    auto sealer = job.sealer_async("loan_scores_delta")->wait(60s);
    CHECK(sealer);
    auto sealed = sealer->seal(*batch);
    CHECK(sealed && has(sealed->to_csv()->view(), "_zt_key") && !has(sealed->to_csv()->view(), "20K"));
    auto opener = ines.opener("loan_scores_delta", *sealed);
    CHECK(opener && opener->unseal(*sealed)->to_csv()->view() == csv);
    CHECK(!job.opener("loan_scores_delta", *sealed));
    auto file = sealer->seal_bytes("weights", std::string("weights"));
    auto files = ines.file_opener("loan_scores_delta", file->view());
    CHECK(files && files->name() == "weights" && files->unseal_bytes("weights", file->view())->view().text() == "weights");
    CHECK(files->unseal_bytes("other", file->view()).status() == ZT_STATUS_SEAL_INTEGRITY);
    auto permit = jonas.require("table.read", "table:gold.loan_scores");
    CHECK(permit && has(permit->masks(), "redact"));
    CHECK(has(permit->apply(*batch)->to_csv()->view(), "[redacted]"));
    auto plan = jonas.plan(201);
    CHECK(plan && plan->second && has(plan->first.view(), "ir-onprem"));
}

void the_log(const zt::session &job) {
    std::atomic<int> events = 0;
    {
        auto log = zt::log::to(ZT_LOG_DEBUG, [&](int level, std::string_view target, std::string_view message) {
            events += level == ZT_LOG_DEBUG && has(target, "zt::") && !message.empty() ? 1 : 1000;
        });
        zt_secret *none = nullptr;
        CHECK(log && zt_session_secret_version(job.get(), "bureau-api-key", "00000000000000000000000000000003", &none,
                                               nullptr) == ZT_STATUS_NOT_FOUND);
    }
    CHECK(events > 0 && events < 1000);
    {
        // The newer one stays, whenever the older one goes.
        int silent = 0;
        events = 0;
        std::optional<zt::log> log;
        log.emplace(*zt::log::to(ZT_LOG_DEBUG, [&](int, std::string_view, std::string_view) { silent++; }));
        log.emplace(*zt::log::to(ZT_LOG_DEBUG, [&](int, std::string_view, std::string_view) { events++; }));
        zt_secret *none = nullptr;
        CHECK(zt_session_secret_version(job.get(), "bureau-api-key", "00000000000000000000000000000004", &none,
                                        nullptr) == ZT_STATUS_NOT_FOUND);
        CHECK(events > 0 && silent == 0);
    }
    CHECK(zt::log::to(17, nullptr).status() == ZT_STATUS_INVALID_ARGUMENT);
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        return 2;
    }
    results();
    const std::string folder = argv[1];
    {
        auto zt = zt::runtime::open(folder);
        if (!zt) {
            std::fprintf(stderr, "%s\n", std::string(zt.error().message()).c_str());
            return 2;
        }
        CHECK(zt->ready() && zt->reload());
        const zt::session maya = sign_in(*zt, "ZT_MAYA");
        const zt::session ines = sign_in(*zt, "ZT_INES");
        const zt::session jonas = sign_in(*zt, "ZT_JONAS");
        const zt::session priya = sign_in(*zt, "ZT_PRIYA");
        auto job = sign_in(*zt, "ZT_SCORE").claiming(201, 2);
        CHECK(job);
        decisions(maya, priya);
        secrets(*zt, *job, maya);
        sealing(*job, ines, jonas);
        the_log(*job);
        CHECK(has(zt->metrics_text()->view(), "zt_ready 1\n") && has(zt->status_json()->view(), "\"process\":"));
        CHECK(zt->close(5s) && zt->ready().status() == ZT_STATUS_CLOSED);
    }
    auto report = zt::audit_verify(folder + "/.zt/audit");
    CHECK(report && report->second && has(report->first.view(), "\"intact\":true"));
    std::array<unsigned char, 4> own = {1, 2, 3, 4};
    zt::wipe(own);
    CHECK(own[0] == 0 && own[3] == 0);
    std::printf("%d checks held, %d failed\n", held, failed);
    return failed == 0 ? 0 : 1;
}
