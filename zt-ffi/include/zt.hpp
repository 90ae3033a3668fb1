/*
 * zt.hpp: zt.h for C++17 and later. Header only, no exception is thrown or needed, nothing is global.
 *
 *     auto zt = zt::runtime::open("examples/world");
 *     if (!zt) { std::cerr << zt.error().message() << '\n'; return 1; }
 *     auto job = zt->authenticate(token);
 *     if (job) {
 *         if (auto key = job->secret("bureau-api-key")) { connect_with(key->bytes()); }
 *     }
 *
 * Every handle is move-only and frees itself. What can fail answers a zt::result, which must not be thrown away: test it, then
 * read it with * or ->. Reading the wrong half of a result ends the program. Texts go in as std::string_view, copied with
 * their NUL and wiped; one that holds a NUL is refused, for C would cut it short. Texts that come out are borrowed from the
 * object that they were asked of, unless they are a std::string.
 *
 * get() gives the C handle, for what stands in zt.h alone, such as batches of Arrow. Threads, forks and panics: as zt.h says.
 * Define nothing; link with -lzt.
 */
#ifndef ZT_HPP
#define ZT_HPP

#include <zt.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace zt {

using std::chrono::milliseconds;

/// Bytes of somebody else: of a string, a vector, an array, a std::span.
class bytes_view {
  public:
    constexpr bytes_view() noexcept = default;
    constexpr bytes_view(const std::uint8_t *data, std::size_t size) noexcept : data_(data), size_(size) {}

    template <class Range, class Member = std::remove_pointer_t<decltype(std::declval<const Range &>().data())>,
              class = std::enable_if_t<sizeof(Member) == 1 && std::is_trivially_copyable_v<std::remove_cv_t<Member>>>>
    bytes_view(const Range &range) noexcept
        : data_(reinterpret_cast<const std::uint8_t *>(range.data())), size_(range.size()) {}

    [[nodiscard]] constexpr const std::uint8_t *data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr const std::uint8_t *begin() const noexcept { return data_; }
    [[nodiscard]] constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
    /// The same bytes as characters.
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char *>(data_), size_};
    }

  private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/// Overwrites bytes in a way that no compiler leaves out.
template <class Range> void wipe(Range &range) noexcept {
    zt_wipe(range.data(), range.size() * sizeof(*range.data()));
}

namespace detail {

template <auto Free> struct freed_by {
    template <class Handle> void operator()(Handle *handle) const noexcept { Free(handle); }
};

template <class Handle, auto Free> using owned = std::unique_ptr<Handle, freed_by<Free>>;

/// A text with its NUL, on the stack where it is short. It may be a token: wiped at the end.
class c_text {
  public:
    explicit c_text(std::string_view text) {
        is_whole_ = text.find('\0') == std::string_view::npos;
        if (text.size() >= small_.size()) {
            large_.reset(static_cast<char *>(std::malloc(text.size() + 1)));
            size_ = text.size();
        }
        char *place = size_ == 0 ? small_.data() : large_.get();
        if (place == nullptr) {
            is_whole_ = false;
            return;
        }
        if (!text.empty()) {
            std::memcpy(place, text.data(), text.size());
        }
        place[text.size()] = '\0';
        text_ = place;
    }
    c_text(const c_text &) = delete;
    c_text &operator=(const c_text &) = delete;
    ~c_text() {
        zt_wipe(small_.data(), small_.size());
        zt_wipe(large_.get(), large_ ? size_ : 0);
    }

    /// Whether C reads all of it.
    [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
    [[nodiscard]] const char *get() const noexcept { return text_; }

  private:
    struct to_malloc {
        void operator()(char *text) const noexcept { std::free(text); }
    };
    std::array<char, 128> small_;
    std::unique_ptr<char, to_malloc> large_;
    std::size_t size_ = 0;
    const char *text_ = "";
    bool is_whole_ = true;
};

} // namespace detail

class decision;

/// Why something failed. Holds no secret, no token and no key.
class error {
  public:
    error(zt_status status, zt_error *err) noexcept : status_(status), err_(err) {}
    /// One of this header's own.
    error(zt_status status, const char *message) noexcept : status_(status), message_(message) {}

    [[nodiscard]] zt_status status() const noexcept { return status_; }
    /// "ZT-1001".
    [[nodiscard]] std::string code() const { return "ZT-" + std::to_string(status_); }
    /// For the log of this process; a remote caller may see public_message alone.
    [[nodiscard]] std::string_view message() const noexcept {
        return err_ ? std::string_view(zt_error_message(err_.get())) : std::string_view(message_);
    }
    [[nodiscard]] std::string_view help() const noexcept { return words(zt_error_help(err_.get())); }
    [[nodiscard]] std::string_view cause() const noexcept { return words(zt_error_cause(err_.get())); }
    /// Every problem of the tables, one a line.
    [[nodiscard]] std::string_view report() const noexcept { return words(zt_error_report(err_.get())); }
    [[nodiscard]] std::string_view public_message() const noexcept {
        return err_ ? std::string_view(zt_error_public_message(err_.get())) : std::string_view("internal error");
    }
    [[nodiscard]] int http_status() const noexcept { return zt_error_http_status(err_.get()); }
    /// WWW-Authenticate of that answer; empty where it needs none.
    [[nodiscard]] std::string_view challenge() const noexcept { return words(zt_error_challenge(err_.get())); }
    [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const noexcept {
        const std::int64_t seconds = zt_error_retry_after_s(err_.get());
        return seconds < 0 ? std::nullopt : std::optional<std::chrono::seconds>(seconds);
    }
    [[nodiscard]] std::optional<milliseconds> retry_in() const noexcept {
        const std::int64_t wait = zt_error_retry_ms(err_.get());
        return wait < 0 ? std::nullopt : std::optional<milliseconds>(wait);
    }
    [[nodiscard]] bool is_denied() const noexcept { return zt_error_is_denied(err_.get()); }
    [[nodiscard]] bool is_transient() const noexcept { return zt_error_is_transient(err_.get()); }
    [[nodiscard]] bool is_pending() const noexcept { return status_ == ZT_STATUS_PENDING; }
    /// The decision behind a refusal.
    [[nodiscard]] std::optional<zt::decision> decision() const;
    [[nodiscard]] const zt_error *get() const noexcept { return err_.get(); }

  private:
    static std::string_view words(const char *text) noexcept {
        return text == nullptr ? std::string_view() : std::string_view(text);
    }
    zt_status status_;
    detail::owned<zt_error, zt_error_free> err_;
    const char *message_ = "";
};

/// A value, or why there is none. As std::expected, which C++17 lacks; reading what is not there ends the program.
template <class T> class [[nodiscard]] result {
  public:
    result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    result(zt::error why) : held_(std::in_place_index<1>, std::move(why)) {}

    [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] T &value() & noexcept { return there(std::get_if<0>(&held_)); }
    [[nodiscard]] const T &value() const & noexcept { return there(std::get_if<0>(&held_)); }
    [[nodiscard]] T &&value() && noexcept { return std::move(there(std::get_if<0>(&held_))); }
    [[nodiscard]] T &operator*() & noexcept { return value(); }
    [[nodiscard]] const T &operator*() const & noexcept { return value(); }
    [[nodiscard]] T &&operator*() && noexcept { return std::move(*this).value(); }
    [[nodiscard]] T *operator->() noexcept { return &value(); }
    [[nodiscard]] const T *operator->() const noexcept { return &value(); }
    [[nodiscard]] zt::error &error() & noexcept { return there(std::get_if<1>(&held_)); }
    [[nodiscard]] const zt::error &error() const & noexcept { return there(std::get_if<1>(&held_)); }
    [[nodiscard]] zt::error &&error() && noexcept { return std::move(there(std::get_if<1>(&held_))); }
    [[nodiscard]] zt_status status() const noexcept { return has_value() ? ZT_STATUS_OK : error().status(); }

    /// What `next`, which answers a result, makes of the value; else the same error.
    template <class Next> auto and_then(Next &&next) && -> std::invoke_result_t<Next, T &&> {
        if (has_value()) {
            return std::forward<Next>(next)(std::move(*this).value());
        }
        return std::move(*this).error();
    }

  private:
    template <class Half> static Half &there(Half *half) noexcept {
        if (half == nullptr) {
            std::abort();
        }
        return *half;
    }
    std::variant<T, zt::error> held_;
};

/// Done, or why not.
template <> class [[nodiscard]] result<void> {
  public:
    result() noexcept = default;
    result(zt::error why) : why_(std::move(why)) {}

    [[nodiscard]] bool has_value() const noexcept { return !why_; }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] zt::error &error() & noexcept { return there(why_); }
    [[nodiscard]] const zt::error &error() const & noexcept { return there(why_); }
    [[nodiscard]] zt::error &&error() && noexcept { return std::move(there(why_)); }
    [[nodiscard]] zt_status status() const noexcept { return why_ ? why_->status() : ZT_STATUS_OK; }

  private:
    template <class Held> static decltype(*std::declval<Held &>()) there(Held &held) noexcept {
        if (!held) {
            std::abort();
        }
        return *held;
    }
    std::optional<zt::error> why_;
};

namespace detail {

inline error cut_short() noexcept {
    return {ZT_STATUS_INVALID_ARGUMENT, "a text holds a NUL, or there is no memory for it"};
}

/// Calls a function that answers a new handle.
template <class Object, class Call> result<Object> make(Call call) {
    typename Object::handle *made = nullptr;
    zt_error *err = nullptr;
    const zt_status status = call(&made, &err);
    if (status != ZT_STATUS_OK) {
        return error(status, err);
    }
    return Object(made);
}

template <class Object, class Call> result<Object> make(std::string_view text, Call call) {
    const c_text whole(text);
    if (!whole.is_whole()) {
        return cut_short();
    }
    return make<Object>([&](auto made, auto err) { return call(whole.get(), made, err); });
}

template <class Call> result<void> done(Call call) {
    zt_error *err = nullptr;
    const zt_status status = call(&err);
    if (status != ZT_STATUS_OK) {
        return error(status, err);
    }
    return {};
}

/// What every handle has.
template <class Handle, auto Free> class object {
  public:
    using handle = Handle;
    /// Takes the handle over.
    explicit object(Handle *raw) noexcept : handle_(raw) {}
    [[nodiscard]] Handle *get() const noexcept { return handle_.get(); }
    /// Gives the handle away: the program frees it.
    [[nodiscard]] Handle *release() noexcept { return handle_.release(); }

  private:
    owned<Handle, Free> handle_;
};

} // namespace detail

/// A long answer, such as JSON.
class text : public detail::object<zt_text, zt_text_free> {
  public:
    using object::object;
    [[nodiscard]] std::string_view view() const noexcept { return {zt_text_data(get()), zt_text_len(get())}; }
};

/// Bytes, such as those of a file. Wiped when they are freed.
class bytes : public detail::object<zt_bytes, zt_bytes_free> {
  public:
    using object::object;
    [[nodiscard]] bytes_view view() const noexcept { return {zt_bytes_data(get()), zt_bytes_len(get())}; }
};

/// Whether a request may proceed, and why. A deny is a decision, not an error.
class decision : public detail::object<zt_decision, zt_decision_free> {
  public:
    using object::object;
    [[nodiscard]] bool is_allowed() const noexcept { return zt_decision_is_allowed(get()); }
    /// "allow", "explicit_deny" or "default_deny".
    [[nodiscard]] std::string_view kind() const noexcept { return zt_decision_kind(get()); }
    [[nodiscard]] std::string_view id() const noexcept { return zt_decision_id(get()); }
    /// The reason that the deciding rows give; empty where they give none.
    [[nodiscard]] std::string_view why() const noexcept {
        const char *why = zt_decision_why(get());
        return why == nullptr ? std::string_view() : std::string_view(why);
    }
    /// JSON, as the others.
    [[nodiscard]] std::string_view policies() const noexcept { return zt_decision_policies(get()); }
    [[nodiscard]] std::string_view columns() const noexcept { return zt_decision_columns(get()); }
    [[nodiscard]] std::string_view masks() const noexcept { return zt_decision_masks(get()); }
    [[nodiscard]] std::string_view obligations() const noexcept { return zt_decision_obligations(get()); }
    [[nodiscard]] std::string_view restrictions() const noexcept { return zt_decision_restrictions(get()); }
    [[nodiscard]] std::string_view step_up() const noexcept { return zt_decision_step_up(get()); }
};

inline std::optional<zt::decision> error::decision() const {
    zt_decision *found = zt_error_decision(err_.get());
    return found == nullptr ? std::nullopt : std::optional<zt::decision>(zt::decision(found));
}

/// Rows of data, by column.
class batch : public detail::object<zt_batch, zt_batch_free> {
  public:
    using object::object;
    static result<batch> from_csv(bytes_view csv) {
        return detail::make<batch>(
            [&](auto made, auto err) { return zt_batch_from_csv(csv.data(), csv.size(), made, err); });
    }
    [[nodiscard]] result<zt::text> to_csv() const {
        return detail::make<zt::text>([&](auto made, auto err) { return zt_batch_to_csv(get(), made, err); });
    }
    [[nodiscard]] std::size_t rows() const noexcept { return zt_batch_rows(get()); }
};

/// A decision that allows, and what the caller may see.
class permit : public decision {
  public:
    using decision::decision;
    /// The visible columns, masked where the policy says so.
    [[nodiscard]] result<batch> apply(const batch &rows) const {
        return detail::make<batch>(
            [&](auto made, auto err) { return zt_permit_apply(get(), rows.get(), made, err); });
    }
};

/// One version of one secret. Its bytes are wiped when the cache and the last handle let go.
class secret : public detail::object<zt_secret, zt_secret_free> {
  public:
    using object::object;
    /// Borrowed: what is copied of them zt cannot wipe.
    [[nodiscard]] bytes_view bytes() const noexcept {
        std::size_t length = 0;
        const std::uint8_t *data = zt_secret_bytes(get(), &length);
        return {data, length};
    }
    [[nodiscard]] std::string_view version() const noexcept { return zt_secret_version(get()); }
    [[nodiscard]] std::string_view path_proof() const noexcept { return zt_secret_path_proof(get()); }
    [[nodiscard]] std::optional<milliseconds> stale_for() const noexcept {
        const std::int64_t stale = zt_secret_stale_ms(get());
        return stale < 0 ? std::nullopt : std::optional<milliseconds>(stale);
    }
};

/// A secret that is read again and again.
class secret_handle : public detail::object<zt_secret_handle, zt_secret_handle_free> {
  public:
    using object::object;
    [[nodiscard]] result<secret> read() const {
        return detail::make<secret>([&](auto made, auto err) { return zt_secret_handle_get(get(), made, err); });
    }
};

/// A resource, looked up once.
class located : public detail::object<zt_located, zt_located_free> {
  public:
    using object::object;
};

/// Seals batches and files of one output under one data key.
class sealer : public detail::object<zt_sealer, zt_sealer_free> {
  public:
    using object::object;
    [[nodiscard]] result<batch> seal(const batch &rows) const {
        return detail::make<batch>(
            [&](auto made, auto err) { return zt_sealer_seal(get(), rows.get(), made, err); });
    }
    [[nodiscard]] result<zt::bytes> seal_bytes(std::string_view name, bytes_view plain) const {
        return detail::make<zt::bytes>(name, [&](auto whole, auto made, auto err) {
            return zt_sealer_seal_bytes(get(), whole, plain.data(), plain.size(), made, err);
        });
    }
};

/// Unseals batches of one output.
class opener : public detail::object<zt_opener, zt_opener_free> {
  public:
    using object::object;
    [[nodiscard]] result<batch> unseal(const batch &sealed) const {
        return detail::make<batch>(
            [&](auto made, auto err) { return zt_opener_unseal(get(), sealed.get(), made, err); });
    }
};

/// Unseals files of one output.
class file_opener : public detail::object<zt_file_opener, zt_file_opener_free> {
  public:
    using object::object;
    [[nodiscard]] std::string_view name() const noexcept { return zt_file_opener_name(get()); }
    [[nodiscard]] result<zt::bytes> unseal_bytes(std::string_view name, bytes_view sealed) const {
        return detail::make<zt::bytes>(name, [&](auto whole, auto made, auto err) {
            return zt_file_opener_unseal_bytes(get(), whole, sealed.data(), sealed.size(), made, err);
        });
    }
};

class session;
class runtime;

namespace detail {

inline zt_status take(const zt_operation *from, zt_runtime **to, zt_error **err) {
    return zt_operation_runtime(from, to, err);
}
inline zt_status take(const zt_operation *from, zt_session **to, zt_error **err) {
    return zt_operation_session(from, to, err);
}
inline zt_status take(const zt_operation *from, zt_secret **to, zt_error **err) {
    return zt_operation_secret(from, to, err);
}
inline zt_status take(const zt_operation *from, zt_sealer **to, zt_error **err) {
    return zt_operation_sealer(from, to, err);
}
inline zt_status take(const zt_operation *from, zt_opener **to, zt_error **err) {
    return zt_operation_opener(from, to, err);
}
inline zt_status take(const zt_operation *from, zt_file_opener **to, zt_error **err) {
    return zt_operation_file_opener(from, to, err);
}
inline zt_status take(const zt_operation *from, zt_text **to, zt_error **err) {
    return zt_operation_text(from, to, err);
}

template <class T> result<T> taken(const zt_operation *operation) {
    if constexpr (std::is_void_v<T>) {
        return done([&](auto err) { return zt_operation_wait(operation, 0, err); });
    } else {
        return make<T>([&](auto made, auto err) { return take(operation, made, err); });
    }
}

} // namespace detail

/// What is under way. Dropping it cancels nothing.
template <class T> class operation : public detail::object<zt_operation, zt_operation_free> {
  public:
    using object::object;
    [[nodiscard]] bool is_done() const noexcept { return zt_operation_is_done(get()); }
    void cancel() const noexcept { zt_operation_cancel(get()); }
    /// Waits, and takes the result; an error that is_pending() when it has not ended in time.
    [[nodiscard]] result<T> wait(milliseconds timeout) const {
        zt_error *err = nullptr;
        const auto count = static_cast<std::uint64_t>(timeout.count() < 0 ? 0 : timeout.count());
        const zt_status status = zt_operation_wait(get(), count, &err);
        if (status != ZT_STATUS_OK) {
            return error(status, err);
        }
        return detail::taken<T>(get());
    }
};

/// When an operation gives up by itself, and who is told. The callback takes the result; it runs once, on a thread of zt. An
/// exception that leaves it ends the program.
template <class T> struct terms {
    milliseconds deadline = milliseconds(0);
    std::function<void(result<T>)> done = nullptr;
};

namespace detail {

template <class T> void told(void *user_data, const zt_operation *operation) noexcept {
    const std::unique_ptr<std::function<void(result<T>)>> call(static_cast<std::function<void(result<T>)> *>(user_data));
    (*call)(taken<T>(operation));
}

template <class T, class Call> result<operation<T>> start(terms<T> with, Call call) {
    const auto count = with.deadline.count() < 0 ? 0 : with.deadline.count();
    std::unique_ptr<std::function<void(result<T>)>> callback;
    if (with.done) {
        callback = std::make_unique<std::function<void(result<T>)>>(std::move(with.done));
    }
    zt_operation *made = nullptr;
    zt_error *err = nullptr;
    const zt_done_fn done = callback ? told<T> : zt_done_fn(nullptr);
    const zt_status status = call(static_cast<std::uint64_t>(count), done, callback.get(), &made, &err);
    if (status != ZT_STATUS_OK) {
        return error(status, err);
    }
    static_cast<void>(callback.release()); // The callback owns it now.
    return operation<T>(made);
}

template <class T, class Call> result<operation<T>> start(std::string_view text, terms<T> with, Call call) {
    const c_text whole(text);
    if (!whole.is_whole()) {
        return cut_short();
    }
    return start<T>(std::move(with), [&](auto... rest) { return call(whole.get(), rest...); });
}

} // namespace detail

/// What one authenticated caller may do.
class session : public detail::object<zt_session, zt_session_free> {
  public:
    using object::object;
    [[nodiscard]] std::string_view name() const noexcept { return zt_session_name(get()); }

    /// The same caller, claiming to work on a stage of a job.
    [[nodiscard]] result<session> claiming(std::uint32_t job, std::uint32_t stage) const {
        return detail::make<session>(
            [&](auto made, auto err) { return zt_session_claiming(get(), job, stage, made, err); });
    }
    [[nodiscard]] result<session> claiming_fact(std::string_view name, std::string_view value) const {
        const detail::c_text fact(value);
        if (!fact.is_whole()) {
            return detail::cut_short();
        }
        return detail::make<session>(name, [&](auto whole, auto made, auto err) {
            return zt_session_claiming_fact(get(), whole, fact.get(), made, err);
        });
    }

    [[nodiscard]] result<decision> check(std::string_view action, std::string_view resource) const {
        return ask<decision>(action, resource, zt_check);
    }
    /// The permit, or an error that is_denied().
    [[nodiscard]] result<permit> require(std::string_view action, std::string_view resource) const {
        return ask<permit>(action, resource, zt_require);
    }
    [[nodiscard]] result<located> locate(std::string_view resource) const {
        return detail::make<located>(resource, [&](auto whole, auto made, auto err) {
            return zt_session_locate(get(), whole, made, err);
        });
    }
    /// Whether it is allowed: what a request's path calls. `action` is a literal, such as "model.infer".
    [[nodiscard]] result<bool> check_at(const char *action, const located &resource) const {
        bool allowed = false;
        zt_error *err = nullptr;
        const zt_status status = zt_check_at(get(), action, resource.get(), &allowed, nullptr, &err);
        if (status != ZT_STATUS_OK) {
            return error(status, err);
        }
        return allowed;
    }
    /// One answer for each, in their order.
    [[nodiscard]] result<std::vector<bool>> check_many(std::string_view action,
                                                       const std::vector<std::string> &resources) const {
        const detail::c_text verb(action);
        std::vector<const char *> list;
        bool is_whole = verb.is_whole();
        list.reserve(resources.size());
        for (const std::string &resource : resources) {
            is_whole = is_whole && resource.find('\0') == std::string::npos;
            list.push_back(resource.c_str());
        }
        if (!is_whole) {
            return detail::cut_short();
        }
        const auto allowed = std::make_unique<bool[]>(list.size());
        zt_error *err = nullptr;
        const zt_status status =
            zt_check_many(get(), verb.get(), list.data(), list.size(), allowed.get(), nullptr, &err);
        if (status != ZT_STATUS_OK) {
            return error(status, err);
        }
        return std::vector<bool>(allowed.get(), allowed.get() + list.size());
    }
    /// A decision in full, as JSON, for whom the policy lets see it.
    [[nodiscard]] result<text> explain(const decision &what) const {
        return detail::make<text>([&](auto made, auto err) { return zt_explain(get(), what.get(), made, err); });
    }

    [[nodiscard]] result<zt::secret> secret(std::string_view reference) const {
        return detail::make<zt::secret>(
            reference, [&](auto whole, auto made, auto err) { return zt_secret_get(get(), whole, made, err); });
    }
    [[nodiscard]] result<operation<zt::secret>> secret_async(std::string_view reference,
                                                             terms<zt::secret> with = {}) const {
        return detail::start<zt::secret>(reference, std::move(with), [&](auto whole, auto... rest) {
            return zt_secret_get_async(get(), whole, rest...);
        });
    }
    [[nodiscard]] result<zt::secret_handle> secret_handle(std::string_view reference) const {
        return detail::make<zt::secret_handle>(reference, [&](auto whole, auto made, auto err) {
            return zt_session_secret_handle(get(), whole, made, err);
        });
    }

    [[nodiscard]] result<zt::sealer> sealer(std::string_view output) const {
        return detail::make<zt::sealer>(
            output, [&](auto whole, auto made, auto err) { return zt_sealer_new(get(), whole, made, err); });
    }
    [[nodiscard]] result<operation<zt::sealer>> sealer_async(std::string_view output,
                                                             terms<zt::sealer> with = {}) const {
        return detail::start<zt::sealer>(output, std::move(with), [&](auto whole, auto... rest) {
            return zt_sealer_new_async(get(), whole, rest...);
        });
    }
    [[nodiscard]] result<zt::opener> opener(std::string_view output, const batch &sealed) const {
        return detail::make<zt::opener>(output, [&](auto whole, auto made, auto err) {
            return zt_opener_new(get(), whole, sealed.get(), made, err);
        });
    }
    [[nodiscard]] result<zt::file_opener> file_opener(std::string_view output, bytes_view sealed) const {
        return detail::make<zt::file_opener>(output, [&](auto whole, auto made, auto err) {
            return zt_file_opener_new(get(), whole, sealed.data(), sealed.size(), made, err);
        });
    }

    [[nodiscard]] result<text> log_batch(std::string_view model, const batch &rows) const {
        return detail::make<text>(model, [&](auto whole, auto made, auto err) {
            return zt_log_batch(get(), whole, rows.get(), made, err);
        });
    }
    /// The plan of a job, as JSON, and whether nothing is missing.
    [[nodiscard]] result<std::pair<text, bool>> plan(std::uint32_t job) const {
        bool is_runnable = false;
        auto made = detail::make<text>(
            [&](auto place, auto err) { return zt_plan(get(), job, &is_runnable, place, err); });
        if (!made) {
            return std::move(made).error();
        }
        return std::pair<text, bool>(std::move(*made), is_runnable);
    }
    [[nodiscard]] result<text> audit_tail(std::size_t count) const {
        return detail::make<text>([&](auto made, auto err) { return zt_audit_tail(get(), count, made, err); });
    }

  private:
    template <class Object, class Call>
    result<Object> ask(std::string_view action, std::string_view resource, Call call) const {
        const detail::c_text verb(action);
        if (!verb.is_whole()) {
            return detail::cut_short();
        }
        return detail::make<Object>(resource, [&](auto whole, auto made, auto err) {
            return call(get(), verb.get(), whole, made, err);
        });
    }
};

/// A setting by its name in zt.toml, and its value.
using setting = std::pair<std::string, std::string>;

/// The zero-trust runtime of a process. Close it: dropping it cannot say that the audit log was not written.
class runtime : public detail::object<zt_runtime, zt_runtime_free> {
  public:
    using object::object;
    static result<runtime> open(std::string_view folder, const std::vector<setting> &settings = {}) {
        std::vector<zt_setting> list;
        list.reserve(settings.size());
        for (const auto &[name, value] : settings) {
            if (name.find('\0') != std::string::npos || value.find('\0') != std::string::npos) {
                return detail::cut_short();
            }
            list.push_back({name.c_str(), value.c_str()});
        }
        zt_open_options options{};
        options.struct_size = sizeof options;
        options.settings = list.data();
        options.setting_count = list.size();
        return detail::make<runtime>(folder, [&](auto whole, auto made, auto err) {
            return zt_open_with(whole, &options, made, err);
        });
    }
    static result<operation<runtime>> open_async(std::string_view folder, terms<runtime> with = {}) {
        return detail::start<runtime>(folder, std::move(with), [&](auto whole, auto... rest) {
            return zt_open_async(whole, nullptr, rest...);
        });
    }

    [[nodiscard]] result<session> authenticate(std::string_view token) const {
        return detail::make<session>(
            token, [&](auto whole, auto made, auto err) { return zt_authenticate(get(), whole, made, err); });
    }
    [[nodiscard]] result<operation<session>> authenticate_async(std::string_view token,
                                                                terms<session> with = {}) const {
        return detail::start<session>(token, std::move(with), [&](auto whole, auto... rest) {
            return zt_authenticate_async(get(), whole, rest...);
        });
    }
    /// A session of the process itself.
    [[nodiscard]] result<session> workload() const {
        return detail::make<session>([&](auto made, auto err) { return zt_runtime_workload(get(), made, err); });
    }
    [[nodiscard]] result<operation<session>> workload_async(terms<session> with = {}) const {
        return detail::start<session>(std::move(with),
                                      [&](auto... rest) { return zt_runtime_workload_async(get(), rest...); });
    }

    [[nodiscard]] result<void> ready() const {
        return detail::done([&](auto err) { return zt_runtime_ready(get(), err); });
    }
    [[nodiscard]] result<void> reload() const {
        return detail::done([&](auto err) { return zt_reload(get(), nullptr, err); });
    }
    [[nodiscard]] result<text> status_json() const {
        return detail::make<text>([&](auto made, auto err) { return zt_runtime_status_json(get(), made, err); });
    }
    /// The body of /metrics.
    [[nodiscard]] result<text> metrics_text() const {
        return detail::make<text>([&](auto made, auto err) { return zt_runtime_metrics_text(get(), made, err); });
    }
    [[nodiscard]] result<void> invalidate(std::string_view reference) const {
        const detail::c_text whole(reference);
        if (!whole.is_whole()) {
            return detail::cut_short();
        }
        return detail::done([&](auto err) { return zt_runtime_invalidate(get(), whole.get(), err); });
    }
    /// Writes and ends the audit log. Later calls answer CLOSED.
    [[nodiscard]] result<void> close(milliseconds timeout) const {
        const auto count = static_cast<std::uint64_t>(timeout.count() < 0 ? 0 : timeout.count());
        return detail::done([&](auto err) { return zt_runtime_close(get(), count, err); });
    }
};

/// Whether every log of an audit folder is what was written: the report as JSON, and whether there is no finding.
[[nodiscard]] inline result<std::pair<text, bool>> audit_verify(std::string_view folder, std::string_view key = {}) {
    const detail::c_text pem(key);
    bool is_intact = false;
    if (!pem.is_whole()) {
        return detail::cut_short();
    }
    auto report = detail::make<text>(folder, [&](auto whole, auto made, auto err) {
        return zt_audit_verify(whole, key.empty() ? nullptr : pem.get(), &is_intact, made, err);
    });
    if (!report) {
        return std::move(report).error();
    }
    return std::pair<text, bool>(std::move(*report), is_intact);
}

/// Hands zt's events to the program while it lives, or until a newer one does: one for the process. An exception that leaves the
/// callback ends the program. It must not be destroyed inside of its callback.
class log {
  public:
    using callback = std::function<void(int level, std::string_view target, std::string_view message)>;

    static result<log> to(int level, callback call) {
        auto kept = std::make_unique<callback>(std::move(call));
        zt_error *err = nullptr;
        const zt_status status = zt_log_to(level, told, kept.get(), &err);
        if (status != ZT_STATUS_OK) {
            return error(status, err);
        }
        return log(std::move(kept));
    }
    log(log &&) noexcept = default;
    log(const log &) = delete;
    log &operator=(const log &) = delete;
    log &operator=(log &&) = delete;
    ~log() {
        if (kept_ && zt_log_off(kept_.get(), nullptr) != ZT_STATUS_OK) {
            static_cast<void>(kept_.release()); // Inside of the callback after all: it may still be called, so it stays.
        }
    }

  private:
    explicit log(std::unique_ptr<callback> kept) noexcept : kept_(std::move(kept)) {}
    static void told(void *call, std::int32_t level, const char *target, const char *message) noexcept {
        (*static_cast<callback *>(call))(level, target, message);
    }
    std::unique_ptr<callback> kept_;
};

} // namespace zt

#endif
