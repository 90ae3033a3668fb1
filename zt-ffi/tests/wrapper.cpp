// The contract of zt.hpp, under C++17 and later, with and without exceptions.
//
// argv: the world's folder. The environment has tokens: ZT_MAYA, ZT_SCORE, ZT_INES, ZT_JONAS, ZT_PRIYA. Prints how many checks
// hold.
#include <zt.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
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

/// Whether bytes can be borrowed from it.
template <class Secret, class = void> struct has_bytes : std::false_type {};
template <class Secret>
struct has_bytes<Secret, std::void_t<decltype(std::declval<Secret>().bytes())>> : std::true_type {};

void results() {
    static_assert(!std::is_copy_constructible_v<zt::secret> && std::is_nothrow_move_constructible_v<zt::secret>);
    static_assert(!std::is_copy_constructible_v<zt::runtime> && !std::is_copy_constructible_v<zt::error>);
    static_assert(!std::is_convertible_v<zt::result<int>, bool>);
    static_assert(!std::is_copy_constructible_v<zt::arrow_batch> && std::is_nothrow_move_assignable_v<zt::arrow_batch>);
    static_assert(!std::is_copy_constructible_v<zt::access_token> && !has_bytes<zt::secret &&>::value);
    static_assert(has_bytes<zt::secret &>::value && has_bytes<const zt::secret &>::value);
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

std::string content(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void files(const zt::session &job, const zt::session &ines, const std::string &folder) {
    const std::string plain = folder + "/weights.bin";
    const std::string sealed = folder + "/weights.sealed";
    const std::string again = folder + "/weights.again";
    const std::string weights(200000, 'w');
    std::ofstream(plain, std::ios::binary) << weights;
    auto sealer = job.sealer("loan_scores_delta");
    auto length = sealer->seal_file(plain, sealed);
    CHECK(length && *length == weights.size() && !has(content(sealed), "wwww"));
    CHECK(sealer->seal_file(plain, sealed).status() == ZT_STATUS_INVALID_ARGUMENT); // It is there.
    CHECK(sealer->seal_file(plain, sealed, {"model", true}));
    CHECK(sealer->seal_file(folder + "/none", again).status() == ZT_STATUS_NOT_FOUND);
    CHECK(sealer->seal_file(std::string("a\0b", 3), again).status() == ZT_STATUS_INVALID_ARGUMENT);
    auto files = ines.file_opener_from_file("loan_scores_delta", sealed);
    CHECK(files && files->name() == "model");
    CHECK(files->unseal_file(sealed, again).status() == ZT_STATUS_SEAL_INTEGRITY && content(again).empty());
    CHECK(*files->unseal_file(sealed, again, {"model"}) == weights.size() && content(again) == weights);
    CHECK(job.file_opener_from_file("loan_scores_delta", sealed).error().is_denied());
    const std::string bytes = content(sealed);
    auto later = ines.file_opener_async("loan_scores_delta", bytes)->wait(60s);
    CHECK(later && later->unseal_bytes("model", bytes)->view().text() == weights);
}

/// Reads a text piece by piece.
auto reader(std::string_view text) {
    return [text](std::uint8_t *buffer, std::size_t capacity) mutable {
        const std::size_t count = text.copy(reinterpret_cast<char *>(buffer), capacity);
        text.remove_prefix(count);
        return count;
    };
}

void streams(const zt::session &job, const zt::session &ines) {
    const std::string weights(150000, 'w');
    std::string sealed;
    std::string again;
    auto to = [](std::string &place) {
        return [&place](zt::bytes_view bytes) {
            place += bytes.text();
            return true;
        };
    };
    auto sealer = job.sealer("loan_scores_delta");
    CHECK(*sealer->seal_stream("weights", reader(weights), to(sealed)) == weights.size());
    CHECK(sealed.size() > weights.size() && !has(sealed, "wwww"));
    auto files = ines.file_opener("loan_scores_delta", sealed);
    CHECK(*files->unseal_stream("weights", reader(sealed), to(again)) == weights.size() && again == weights);
    auto none = [](std::uint8_t *, std::size_t) -> std::optional<std::size_t> { return std::nullopt; };
    auto full = [](zt::bytes_view) { return false; };
    CHECK(sealer->seal_stream("weights", none, to(again)).status() == ZT_STATUS_CALLBACK_FAILED);
    CHECK(sealer->seal_stream("weights", reader(weights), full).status() == ZT_STATUS_CALLBACK_FAILED);
    sealed.back() = static_cast<char>(sealed.back() ^ 1);
    CHECK(files->unseal_stream("weights", reader(sealed), to(again)).status() == ZT_STATUS_SEAL_INTEGRITY);
}

int released = 0;

/// One row of the columns that the rule seals, whose release is counted.
zt::arrow_batch one_row() {
    static constexpr const char *names[3] = {"salary_range", "debt_to_income_ratio", "y_pred_proba"};
    struct own {
        ArrowSchema type[3];
        ArrowSchema *types[3];
        ArrowArray cells[3];
        ArrowArray *columns[3];
        const void *buffers[3][3];
        const void *no_nulls[1];
        std::int32_t ends[2];
        char text[4];
        double number[1];
    };
    static own all;
    all = {};
    all.ends[1] = 3;
    all.number[0] = 0.5;
    std::memcpy(all.text, "20K", 3);
    for (int at = 0; at < 3; at++) {
        all.type[at].format = at == 0 ? "u" : "g";
        all.type[at].name = names[at];
        all.type[at].flags = ARROW_FLAG_NULLABLE;
        all.type[at].release = [](ArrowSchema *schema) { schema->release = nullptr; };
        all.types[at] = &all.type[at];
        all.buffers[at][1] = at == 0 ? static_cast<const void *>(all.ends) : all.number;
        all.buffers[at][2] = all.text;
        all.cells[at].length = 1;
        all.cells[at].n_buffers = at == 0 ? 3 : 2;
        all.cells[at].buffers = all.buffers[at];
        all.cells[at].release = [](ArrowArray *array) { array->release = nullptr; };
        all.columns[at] = &all.cells[at];
    }
    zt::arrow_batch made;
    made.schema()->format = "+s";
    made.schema()->n_children = 3;
    made.schema()->children = all.types;
    made.schema()->release = [](ArrowSchema *schema) {
        released++;
        schema->release = nullptr;
    };
    made.array()->length = 1;
    made.array()->n_buffers = 1;
    made.array()->buffers = all.no_nulls;
    made.array()->n_children = 3;
    made.array()->children = all.columns;
    made.array()->release = [](ArrowArray *array) {
        released++;
        array->release = nullptr;
    };
    return made;
}

void arrow(const zt::session &job, const zt::session &ines) {
    {
        zt::arrow_batch first = one_row();
        zt::arrow_batch moved = std::move(first);
        CHECK(first.is_released() && !moved.is_released() && released == 0);
        moved = zt::arrow_batch();
        CHECK(released == 2);
        ArrowSchema schema = *one_row().schema();
        static_cast<void>(schema);
        CHECK(released == 4);
    }
    released = 0;
    auto sealer = job.sealer("loan_scores_delta");
    auto sealed = sealer->seal_arrow(one_row());
    CHECK(sealed && released >= 1 && sealed->schema()->n_children == 4 && sealed->array()->length == 1);
    CHECK(std::string_view(sealed->schema()->children[0]->format) == "u");
    CHECK(std::string_view(sealer->seal_arrow(one_row(), zt::store::bytes)->schema()->children[0]->format) == "z");
    CHECK(sealer->seal_arrow({}).status() == ZT_STATUS_INVALID_ARGUMENT);
    CHECK(!job.arrow_opener("loan_scores_delta", *sealed));
    auto opener = ines.arrow_opener("loan_scores_delta", *sealed);
    CHECK(opener && !sealed->is_released());
    auto plain = opener->unseal_arrow(std::move(*sealed));
    CHECK(plain && sealed->is_released() && plain->schema()->n_children == 3);
    const ArrowArray *cells = plain->array()->children[0];
    CHECK(std::memcmp(static_cast<const char *>(cells->buffers[2]), "20K", 3) == 0);
    CHECK(opener->unseal_arrow(one_row()).status() != ZT_STATUS_OK);
}

void warming(const zt::session &job, const zt::session &maya) {
    auto all = job.warm({"bureau-api-key", "no-such"}, 60s);
    CHECK(all && all->ready == 1 && has(all->failed.view(), "\"no-such\":{"));
    CHECK(maya.warm({"bureau-api-key"}, 60s)->ready == 0);
    CHECK(job.warm({}, 0ms)->ready == 0);
    CHECK(job.warm({std::string("a\0b", 3)}, 0ms).status() == ZT_STATUS_INVALID_ARGUMENT);
    auto fresh = job.refresh_secret("bureau-api-key");
    CHECK(fresh && fresh->bytes().text() == needle);
    CHECK(job.secret_version("bureau-api-key", fresh->version())->bytes().text() == needle);
}

/// Counts how many of it there are.
struct counted {
    explicit counted(int *count) : count_(count) { ++*count_; }
    counted(const counted &other) : count_(other.count_) { ++*count_; }
    counted &operator=(const counted &) = delete;
    ~counted() { --*count_; }
    int *count_;
};

void own_identity(const std::string &folder) {
    int alive = 0;
    std::atomic<int> asked = 0;
    std::string token(variable("ZT_SCORE"));
    zt_status answer = ZT_STATUS_OK;
    auto own = [&, here = counted(&alive)](std::string_view scope) -> zt::result<zt::access_token> {
        asked += has(scope, "/.default") ? 1 : 1000;
        if (answer != ZT_STATUS_OK) {
            return zt::error(answer, "zt-needle: a text of the program's own");
        }
        return zt::access_token(token, std::chrono::system_clock::now() + 1h);
    };
    const int before = alive;
    CHECK(zt::runtime::open("nowhere", {}, own).status() == ZT_STATUS_CONFIG && alive == before);
    CHECK(zt::runtime::open(std::string("a\0b", 3), {}, own).status() == ZT_STATUS_INVALID_ARGUMENT && alive == before);
    const std::vector<zt::setting> settings = {{"status.folder", "run"}};
    {
        auto zt = zt::runtime::open(folder, {}, own);
        CHECK(zt && asked == 0 && alive > before);
        auto session = zt->workload();
        CHECK(session && session->name() == "sp:sp-score-201" && asked == 1);
        CHECK(zt->close_async(5s)->wait(60s) && zt->ready().status() == ZT_STATUS_CLOSED);
    }
    CHECK(alive == before);
    for (const zt_status status : {ZT_STATUS_IDENTITY_UNAVAILABLE, ZT_STATUS_DENIED}) {
        answer = status;
        auto zt = zt::runtime::open_async(folder, {}, {}, own)->wait(60s);
        CHECK(zt && zt->reload_async()->wait(60s));
        auto refused = zt->workload_async()->wait(60s);
        const bool is_away = status == ZT_STATUS_IDENTITY_UNAVAILABLE;
        CHECK(refused.status() == (is_away ? status : ZT_STATUS_NO_OWN_IDENTITY));
        CHECK(!has(refused.error().message(), "zt-needle") && !has(refused.error().cause(), "zt-needle"));
        CHECK(zt->close(5s));
    }
    CHECK(zt::runtime::open_async("nowhere", {}, settings, own)->wait(60s).status() == ZT_STATUS_CONFIG);
    CHECK(zt::runtime::open_async("nowhere", {}, {{"no.such", "1"}}, own).status() == ZT_STATUS_CONFIG);
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
        files(*job, ines, folder);
        streams(*job, ines);
        arrow(*job, ines);
        warming(*job, maya);
        the_log(*job);
        CHECK(has(zt->metrics_text()->view(), "zt_ready 1\n") && has(zt->status_json()->view(), "\"process\":"));
        CHECK(zt->close(5s) && zt->ready().status() == ZT_STATUS_CLOSED);
    }
    own_identity(folder);
    auto report = zt::audit_verify(folder + "/.zt/audit");
    CHECK(report && report->second && has(report->first.view(), "\"intact\":true"));
    std::array<unsigned char, 4> own = {1, 2, 3, 4};
    zt::wipe(own);
    CHECK(own[0] == 0 && own[3] == 0);
    std::printf("%d checks held, %d failed\n", held, failed);
    return failed == 0 ? 0 : 1;
}
