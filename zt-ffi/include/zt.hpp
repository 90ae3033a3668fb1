/*
 * zt.hpp: zt.h for C++17 and later. Header only, nothing is global. It throws nothing and needs no exceptions; a std::vector,
 * std::string or std::function that goes in or comes out may throw std::bad_alloc, as each does everywhere.
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
 * object that they were asked of, unless they are a std::string: a bytes_view or std::string_view must not outlive it, and
 * what comes out of a temporary ends with its statement. Compilers that know lifetimebound (Clang, MSVC) warn where it does not.
 *
 * get() gives the C handle, for what stands in zt.h alone. Threads, forks and panics: as zt.h says.
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
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/* What comes out is borrowed from what stands before it. Compilers that do not know it are told nothing. */
#define ZT_BORROWED
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#undef ZT_BORROWED
#define ZT_BORROWED [[clang::lifetimebound]]
#elif __has_cpp_attribute(msvc::lifetimebound)
#undef ZT_BORROWED
#define ZT_BORROWED [[msvc::lifetimebound]]
#endif
#endif

namespace zt {

using std::chrono::milliseconds;

/// Bytes of somebody else: of a string, a vector, an array, a std::span.
class bytes_view {
  public:
    constexpr bytes_view() noexcept = default;
    constexpr bytes_view(const std::uint8_t *data, std::size_t size) noexcept : data_(data), size_(size) {}

    template <class Range, class Member = std::remove_pointer_t<decltype(std::declval<const Range &>().data())>,
              class = std::enable_if_t<sizeof(Member) == 1 && std::is_trivially_copyable_v<std::remove_cv_t<Member>>>>
    bytes_view(const Range &range ZT_BORROWED) noexcept
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

/// Memory of one's own; nothing where there is none.
template <class T> std::unique_ptr<T[]> array_of(std::size_t count) noexcept {
    return std::unique_ptr<T[]>(new (std::nothrow) T[count]());
}

template <class T> std::unique_ptr<T> kept(T value) noexcept {
    return std::unique_ptr<T>(new (std::nothrow) T(std::move(value)));
}

inline std::uint64_t count_of(milliseconds time) noexcept {
    return static_cast<std::uint64_t>(time.count() < 0 ? 0 : time.count());
}

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

/// A list of texts with their NULs, one behind the other. Wiped at the end.
class c_texts {
  public:
    /// `at` answers the text of each number below `count`.
    template <class At> c_texts(std::size_t count, At at) : list_(array_of<const char *>(count)) {
        bool is_whole = true;
        for (std::size_t number = 0; number < count; number++) {
            const std::string_view text = at(number);
            is_whole = is_whole && text.find('\0') == std::string_view::npos;
            size_ += text.size() + 1;
        }
        texts_ = array_of<char>(size_);
        is_whole_ = is_whole && list_ && texts_;
        std::size_t end = 0;
        for (std::size_t number = 0; is_whole_ && number < count; number++) {
            const std::string_view text = at(number);
            list_[number] = texts_.get() + end;
            end += text.copy(texts_.get() + end, text.size()) + 1; // The NUL is there already.
        }
    }
    c_texts(const c_texts &) = delete;
    c_texts &operator=(const c_texts &) = delete;
    ~c_texts() { zt_wipe(texts_.get(), texts_ ? size_ : 0); }

    /// Whether C reads all of each.
    [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
    [[nodiscard]] const char *const *get() const noexcept { return list_.get(); }

  private:
    std::unique_ptr<const char *[]> list_;
    std::unique_ptr<char[]> texts_;
    std::size_t size_ = 0;
    bool is_whole_ = false;
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
    [[nodiscard]] std::string_view message() const noexcept ZT_BORROWED {
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
    [[nodiscard]] T *operator->() noexcept ZT_BORROWED { return &value(); }
    [[nodiscard]] const T *operator->() const noexcept ZT_BORROWED { return &value(); }
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

inline error no_memory() noexcept { return {ZT_STATUS_INTERNAL, "there is no memory for it"}; }

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
    [[nodiscard]] std::string_view view() const noexcept ZT_BORROWED { return {zt_text_data(get()), zt_text_len(get())}; }
};

/// Bytes, such as those of a file. Wiped when they are freed.
class bytes : public detail::object<zt_bytes, zt_bytes_free> {
  public:
    using object::object;
    [[nodiscard]] bytes_view view() const noexcept ZT_BORROWED { return {zt_bytes_data(get()), zt_bytes_len(get())}; }
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
    /// A draft of the row that is missing, in TOML; empty where there is none.
    [[nodiscard]] std::string_view draft() const noexcept {
        const char *draft = zt_decision_draft(get());
        return draft == nullptr ? std::string_view() : std::string_view(draft);
    }
    /// Until when time alone cannot change it; nothing when it never does.
    [[nodiscard]] std::optional<std::chrono::system_clock::time_point> lease() const noexcept {
        std::int64_t until = 0;
        if (!zt_decision_lease(get(), &until)) {
            return std::nullopt;
        }
        return std::chrono::system_clock::time_point(milliseconds(until));
    }
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

/// A batch of Arrow by its C data interface: what stands in the two structs is released with this object. Its places are what
/// Arrow's own functions take, such as ExportRecordBatch(rows, batch.array(), batch.schema()) and
/// ImportRecordBatch(batch.array(), batch.schema()).
class arrow_batch {
  public:
    /// Nothing yet.
    arrow_batch() noexcept = default;
    /// Takes over what stands there and leaves both released, as the interface moves structs.
    arrow_batch(ArrowSchema *schema, ArrowArray *array) noexcept : schema_(*schema), array_(*array) {
        schema->release = nullptr;
        array->release = nullptr;
    }
    arrow_batch(arrow_batch &&other) noexcept : arrow_batch(&other.schema_, &other.array_) {}
    arrow_batch &operator=(arrow_batch &&other) noexcept {
        arrow_batch moved(std::move(other));
        std::swap(schema_, moved.schema_);
        std::swap(array_, moved.array_);
        return *this;
    }
    arrow_batch(const arrow_batch &) = delete;
    arrow_batch &operator=(const arrow_batch &) = delete;
    ~arrow_batch() {
        if (schema_.release != nullptr) {
            schema_.release(&schema_);
        }
        if (array_.release != nullptr) {
            array_.release(&array_);
        }
    }

    [[nodiscard]] ArrowSchema *schema() noexcept { return &schema_; }
    [[nodiscard]] const ArrowSchema *schema() const noexcept { return &schema_; }
    [[nodiscard]] ArrowArray *array() noexcept { return &array_; }
    [[nodiscard]] const ArrowArray *array() const noexcept { return &array_; }
    /// Whether nothing is there, or it was consumed.
    [[nodiscard]] bool is_released() const noexcept { return array_.release == nullptr; }

  private:
    ArrowSchema schema_{};
    ArrowArray array_{};
};

/// What sealed columns of Arrow are made of.
enum class store : std::int32_t {
    /// Text, which Delta, Parquet, CSV and SQL keep alike.
    text = ZT_STORE_TEXT,
    /// Bytes, a quarter shorter.
    bytes = ZT_STORE_BYTES,
};

/// How a file is written: under which name it is sealed, that of the plain file when this is empty; and whether it replaces
/// one that is there.
struct file_terms {
    std::string_view name = {};
    bool replaces = false;
};

namespace detail {

template <class Call> result<std::uint64_t> counted(Call call) {
    std::uint64_t length = 0;
    zt_error *err = nullptr;
    const zt_status status = call(&length, &err);
    if (status != ZT_STATUS_OK) {
        return error(status, err);
    }
    return length;
}

template <class Call> result<arrow_batch> exported(arrow_batch from, Call call) {
    arrow_batch made;
    zt_error *err = nullptr;
    const zt_status status = call(from.schema(), from.array(), made.schema(), made.array(), &err);
    if (status != ZT_STATUS_OK) {
        return error(status, err);
    }
    return result<arrow_batch>(std::move(made));
}

template <class Call>
result<std::uint64_t> file(std::string_view source, std::string_view target, file_terms with, Call call) {
    const c_text name(with.name);
    const c_text from(source);
    const c_text to(target);
    if (!name.is_whole() || !from.is_whole() || !to.is_whole()) {
        return cut_short();
    }
    return counted([&](auto length, auto err) {
        return call(with.name.empty() ? nullptr : name.get(), from.get(), to.get(), with.replaces, length, err);
    });
}

template <class Read> std::int64_t reads(void *call, std::uint8_t *buffer, std::size_t capacity) noexcept {
    const std::optional<std::size_t> count = (*static_cast<Read *>(call))(buffer, capacity);
    return count ? static_cast<std::int64_t>(*count) : -1;
}

template <class Write> std::int64_t writes(void *call, const std::uint8_t *data, std::size_t length) noexcept {
    return (*static_cast<Write *>(call))(bytes_view(data, length)) ? 0 : -1;
}

template <class Read, class Write, class Call>
result<std::uint64_t> stream(std::string_view name, Read &read, Write &write, Call call) {
    static_assert(std::is_invocable_r_v<std::optional<std::size_t>, Read &, std::uint8_t *, std::size_t>);
    static_assert(std::is_invocable_r_v<bool, Write &, bytes_view>);
    const c_text whole(name);
    if (!whole.is_whole()) {
        return cut_short();
    }
    return counted([&](auto length, auto err) {
        return call(whole.get(), reads<Read>, &read, writes<Write>, &write, length, err);
    });
}

} // namespace detail

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
    [[nodiscard]] bytes_view bytes() const & noexcept ZT_BORROWED {
        std::size_t length = 0;
        const std::uint8_t *data = zt_secret_bytes(get(), &length);
        return {data, length};
    }
    /// They would be gone at once: give the secret a name first.
    bytes_view bytes() const && = delete;
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
    /// Seals the file at `source` into one at `target`, whole or not at all. Answers how many bytes were sealed.
    [[nodiscard]] result<std::uint64_t> seal_file(std::string_view source, std::string_view target,
                                                  file_terms with = {}) const {
        return detail::file(source, target, with,
                            [&](auto... rest) { return zt_sealer_seal_file(get(), rest...); });
    }
    /// Seals a stream. `read(buffer, capacity)` puts the next bytes there and answers how many as a std::optional<std::size_t>:
    /// 0 at the end, nothing to give up. `write(bytes_view)` answers whether to go on. Neither runs after this has returned; an
    /// exception that leaves one ends the program.
    template <class Read, class Write>
    [[nodiscard]] result<std::uint64_t> seal_stream(std::string_view name, Read read, Write write) const {
        return detail::stream(name, read, write,
                              [&](auto... rest) { return zt_sealer_seal_stream(get(), rest...); });
    }
    /// Seals a batch of Arrow, which is consumed whatever the answer.
    [[nodiscard]] result<arrow_batch> seal_arrow(arrow_batch rows, store as = store::text) const {
        return detail::exported(std::move(rows), [&](auto schema, auto array, auto... rest) {
            return zt_sealer_seal_arrow(get(), schema, array, static_cast<std::int32_t>(as), rest...);
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
    /// A batch of Arrow, which is consumed whatever the answer, with its columns as they were before they were sealed.
    [[nodiscard]] result<arrow_batch> unseal_arrow(arrow_batch sealed) const {
        return detail::exported(std::move(sealed),
                                [&](auto... rest) { return zt_opener_unseal_arrow(get(), rest...); });
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
    /// Unseals the file at `source` into one at `target`, verified whole or not at all. Answers how many bytes it has.
    [[nodiscard]] result<std::uint64_t> unseal_file(std::string_view source, std::string_view target,
                                                    file_terms with = {}) const {
        return detail::file(source, target, with,
                            [&](auto... rest) { return zt_file_opener_unseal_file(get(), rest...); });
    }
    /// Unseals a stream, with callables as for sealer::seal_stream. After an error what was written must be thrown away.
    template <class Read, class Write>
    [[nodiscard]] result<std::uint64_t> unseal_stream(std::string_view name, Read read, Write write) const {
        return detail::stream(name, read, write,
                              [&](auto... rest) { return zt_file_opener_unseal_stream(get(), rest...); });
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
        const zt_status status = zt_operation_wait(get(), detail::count_of(timeout), &err);
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
    std::unique_ptr<std::function<void(result<T>)>> callback;
    if (with.done) {
        callback = kept(std::move(with.done));
        if (!callback) {
            return no_memory();
        }
    }
    zt_operation *made = nullptr;
    zt_error *err = nullptr;
    const zt_done_fn done = callback ? told<T> : zt_done_fn(nullptr);
    const zt_status status = call(count_of(with.deadline), done, callback.get(), &made, &err);
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

/// What a warming answers.
struct warmed {
    /// How many secrets are there now.
    std::size_t ready;
    /// Why the others are not: JSON, as zt_session_warm says.
    text failed;
};

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
    /// The same caller, saying who proposed the change that is to be approved.
    [[nodiscard]] result<session> claiming_author(std::string_view author) const {
        return detail::make<session>(author, [&](auto whole, auto made, auto err) {
            return zt_session_claiming_author(get(), whole, made, err);
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
        const detail::c_texts list(resources.size(), [&](std::size_t at) { return std::string_view(resources[at]); });
        if (!verb.is_whole() || !list.is_whole()) {
            return detail::cut_short();
        }
        const auto allowed = detail::array_of<bool>(resources.size());
        if (!allowed) {
            return detail::no_memory();
        }
        zt_error *err = nullptr;
        const zt_status status =
            zt_check_many(get(), verb.get(), list.get(), resources.size(), allowed.get(), nullptr, &err);
        if (status != ZT_STATUS_OK) {
            return error(status, err);
        }
        return std::vector<bool>(allowed.get(), allowed.get() + resources.size());
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
    [[nodiscard]] result<zt::secret> secret_version(std::string_view reference, std::string_view version) const {
        const detail::c_text wanted(version);
        if (!wanted.is_whole()) {
            return detail::cut_short();
        }
        return detail::make<zt::secret>(reference, [&](auto whole, auto made, auto err) {
            return zt_session_secret_version(get(), whole, wanted.get(), made, err);
        });
    }
    /// Asks the vault, whatever is in the cache.
    [[nodiscard]] result<zt::secret> refresh_secret(std::string_view reference) const {
        return detail::make<zt::secret>(reference, [&](auto whole, auto made, auto err) {
            return zt_session_refresh_secret(get(), whole, made, err);
        });
    }
    /// Fetches secrets before they are read, all at once, and waits at most `timeout`. Nothing is handed out.
    [[nodiscard]] result<warmed> warm(const std::vector<std::string> &references, milliseconds timeout) const {
        const detail::c_texts list(references.size(), [&](std::size_t at) { return std::string_view(references[at]); });
        if (!list.is_whole()) {
            return detail::cut_short();
        }
        std::size_t ready = 0;
        auto failed = detail::make<text>([&](auto made, auto err) {
            return zt_session_warm(get(), list.get(), references.size(), detail::count_of(timeout), &ready, made, err);
        });
        if (!failed) {
            return std::move(failed).error();
        }
        return warmed{ready, std::move(*failed)};
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
    [[nodiscard]] result<operation<zt::opener>> opener_async(std::string_view output, const batch &sealed,
                                                             terms<zt::opener> with = {}) const {
        return detail::start<zt::opener>(output, std::move(with), [&](auto whole, auto... rest) {
            return zt_opener_new_async(get(), whole, sealed.get(), rest...);
        });
    }
    /// An opener for batches of Arrow. `sealed` is looked at, and not consumed.
    [[nodiscard]] result<zt::opener> arrow_opener(std::string_view output, const arrow_batch &sealed) const {
        return detail::make<zt::opener>(output, [&](auto whole, auto made, auto err) {
            return zt_arrow_opener_new(get(), whole, sealed.schema(), sealed.array(), made, err);
        });
    }
    /// `sealed`: the file, or its first ZT_FILE_HEADER_MOST bytes.
    [[nodiscard]] result<zt::file_opener> file_opener(std::string_view output, bytes_view sealed) const {
        return detail::make<zt::file_opener>(output, [&](auto whole, auto made, auto err) {
            return zt_file_opener_new(get(), whole, sealed.data(), sealed.size(), made, err);
        });
    }
    [[nodiscard]] result<operation<zt::file_opener>> file_opener_async(std::string_view output, bytes_view sealed,
                                                                       terms<zt::file_opener> with = {}) const {
        return detail::start<zt::file_opener>(output, std::move(with), [&](auto whole, auto... rest) {
            return zt_file_opener_new_async(get(), whole, sealed.data(), sealed.size(), rest...);
        });
    }
    [[nodiscard]] result<zt::file_opener> file_opener_from_file(std::string_view output,
                                                                std::string_view source) const {
        const detail::c_text path(source);
        if (!path.is_whole()) {
            return detail::cut_short();
        }
        return detail::make<zt::file_opener>(output, [&](auto whole, auto made, auto err) {
            return zt_file_opener_from_file(get(), whole, path.get(), made, err);
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

/// A setting by its name in zt.toml, and its value. Both are borrowed; zt copies them, and wipes its copy.
using setting = std::pair<std::string_view, std::string_view>;

/// A token of the process itself, and when it ends. Wiped when it is freed.
class access_token {
  public:
    access_token(std::string bearer, std::chrono::system_clock::time_point expires) noexcept
        : bearer_(std::move(bearer)), expires_(expires) {}
    access_token(access_token &&other) noexcept : expires_(other.expires_) { bearer_.swap(other.bearer_); }
    access_token &operator=(access_token &&other) noexcept {
        bearer_.swap(other.bearer_);
        expires_ = other.expires_;
        return *this;
    }
    access_token(const access_token &) = delete;
    access_token &operator=(const access_token &) = delete;
    ~access_token() { wipe(bearer_); }

    [[nodiscard]] const std::string &bearer() const noexcept ZT_BORROWED { return bearer_; }
    [[nodiscard]] std::chrono::system_clock::time_point expires() const noexcept { return expires_; }

  private:
    std::string bearer_;
    std::chrono::system_clock::time_point expires_;
};

/// Who the process is: gives a token for a scope such as "https://vault.azure.net/.default". An error with
/// ZT_STATUS_IDENTITY_UNAVAILABLE says that the issuer cannot be reached now, every other that it refuses; its words go nowhere.
/// It runs on threads of zt that may wait, maybe on several at once, and is freed after the last handle of the runtime. An
/// exception that leaves it ends the program; it must not wait for a call of zt.
using credential = std::function<result<access_token>(std::string_view scope)>;

namespace detail {

inline zt_status gives_token(void *call, const char *scope, const zt_token *token) noexcept {
    auto given = (*static_cast<zt::credential *>(call))(scope);
    if (!given) {
        return given.status();
    }
    const c_text bearer(given->bearer());
    if (!bearer.is_whole()) {
        return ZT_STATUS_INVALID_ARGUMENT;
    }
    const auto expires = std::chrono::duration_cast<milliseconds>(given->expires().time_since_epoch());
    return zt_token_set(token, bearer.get(), expires.count(), nullptr);
}

inline void free_credential(void *call) noexcept { delete static_cast<zt::credential *>(call); }

/// Options of an opening, as C reads them.
class open_options {
  public:
    explicit open_options(const std::vector<setting> &settings)
        : names_(settings.size(), [&](std::size_t at) { return settings[at].first; }),
          values_(settings.size(), [&](std::size_t at) { return settings[at].second; }),
          list_(array_of<zt_setting>(settings.size())) {
        for (std::size_t at = 0; is_whole() && at < settings.size(); at++) {
            list_[at] = {names_.get()[at], values_.get()[at]};
        }
        options_.struct_size = sizeof options_;
        options_.settings = list_.get();
        options_.setting_count = settings.size();
    }
    [[nodiscard]] bool is_whole() const noexcept { return names_.is_whole() && values_.is_whole() && list_; }
    [[nodiscard]] const zt_open_options *get() const noexcept { return &options_; }

  private:
    c_texts names_;
    c_texts values_;
    std::unique_ptr<zt_setting[]> list_;
    zt_open_options options_{};
};

} // namespace detail

/// The zero-trust runtime of a process. Close it: dropping it cannot say that the audit log was not written.
class runtime : public detail::object<zt_runtime, zt_runtime_free> {
  public:
    using object::object;
    /// `own`: who the process is, where the program knows it better than the machine.
    static result<runtime> open(std::string_view folder, const std::vector<setting> &settings = {},
                                credential own = nullptr) {
        const detail::open_options options(settings);
        if (!options.is_whole()) {
            return detail::cut_short();
        }
        if (!own) {
            return detail::make<runtime>(folder, [&](auto whole, auto made, auto err) {
                return zt_open_with(whole, options.get(), made, err);
            });
        }
        auto callback = detail::kept(std::move(own));
        if (!callback) {
            return detail::no_memory();
        }
        return detail::make<runtime>(folder, [&](auto whole, auto made, auto err) {
            // zt frees it, whatever it answers.
            return zt_open_with_credential(whole, options.get(), detail::gives_token, callback.release(),
                                           detail::free_credential, made, err);
        });
    }
    static result<operation<runtime>> open_async(std::string_view folder, terms<runtime> with = {},
                                                 const std::vector<setting> &settings = {},
                                                 credential own = nullptr) {
        const detail::open_options options(settings);
        if (!options.is_whole()) {
            return detail::cut_short();
        }
        if (!own) {
            return detail::start<runtime>(folder, std::move(with), [&](auto whole, auto... rest) {
                return zt_open_async(whole, options.get(), rest...);
            });
        }
        auto callback = detail::kept(std::move(own));
        if (!callback) {
            return detail::no_memory();
        }
        return detail::start<runtime>(folder, std::move(with), [&](auto whole, auto... rest) {
            // As above.
            return zt_open_with_credential_async(whole, options.get(), detail::gives_token, callback.release(),
                                                 detail::free_credential, rest...);
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
    [[nodiscard]] result<operation<void>> reload_async(terms<void> with = {}) const {
        return detail::start<void>(std::move(with), [&](auto... rest) { return zt_reload_async(get(), rest...); });
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
    /// What a delivery of the vault's events says: JSON, as zt_runtime_secret_event says.
    [[nodiscard]] result<text> secret_event(bytes_view body) const {
        return detail::make<text>([&](auto made, auto err) {
            return zt_runtime_secret_event(get(), body.data(), body.size(), made, err);
        });
    }
    /// Writes and ends the audit log. Later calls answer CLOSED.
    [[nodiscard]] result<void> close(milliseconds timeout) const {
        return detail::done([&](auto err) { return zt_runtime_close(get(), detail::count_of(timeout), err); });
    }
    /// The same as an operation, which nothing gives up.
    [[nodiscard]] result<operation<void>> close_async(milliseconds timeout,
                                                      std::function<void(result<void>)> done = nullptr) const {
        return detail::start<void>(terms<void>{timeout, std::move(done)},
                                   [&](auto... rest) { return zt_runtime_close_async(get(), rest...); });
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
        auto kept = detail::kept(std::move(call));
        if (!kept) {
            return detail::no_memory();
        }
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

#undef ZT_BORROWED

#endif
