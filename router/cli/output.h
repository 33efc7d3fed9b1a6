#pragma once

/// The one visitor of all show functions: text in BIRD's exact layout and JSON from the same calls.
/// A line is a layout with named fields: `"{name:<10} {state}"`. Text prints the layout; JSON takes
/// the fields into the record that is open. So a value is written down once, for both.
/// Owned by a session, used in its loop by one command at a time. Never blocks, never fails.

#include "router/cli/reply_code.h"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace tern::cli {

/// A value of a field; texts are borrowed for the call.
class FieldValue {
  public:
    enum class Kind : std::uint8_t { text, negative, number, real, flag, none };

    constexpr FieldValue() = default;

    constexpr FieldValue(std::string_view text)  // NOLINT(google-explicit-constructor)
        : kind_(Kind::text), text_(text) {}

    constexpr FieldValue(const char* text)  // NOLINT(google-explicit-constructor)
        : kind_(Kind::text), text_(text) {}

    FieldValue(const std::string& text)  // NOLINT(google-explicit-constructor)
        : kind_(Kind::text), text_(text) {}

    template <std::unsigned_integral N>
    constexpr FieldValue(N number)  // NOLINT(google-explicit-constructor)
        : kind_(std::same_as<N, bool> ? Kind::flag : Kind::number), number_(number) {}

    template <std::signed_integral N>
    constexpr FieldValue(N number)  // NOLINT(google-explicit-constructor)
        : kind_(number < 0 ? Kind::negative : Kind::number),
          number_(static_cast<std::uint64_t>(static_cast<std::int64_t>(number))) {}

    constexpr FieldValue(double real)  // NOLINT(google-explicit-constructor)
        : kind_(Kind::real), real_(real) {}

    [[nodiscard]] constexpr Kind kind() const { return kind_; }

    [[nodiscard]] constexpr std::string_view text() const { return text_; }

    /// For number and flag.
    [[nodiscard]] constexpr std::uint64_t number() const { return number_; }

    /// For negative.
    [[nodiscard]] constexpr std::int64_t negative() const {
        return static_cast<std::int64_t>(number_);
    }

    [[nodiscard]] constexpr double real() const { return real_; }

  private:
    Kind kind_ = Kind::none;
    std::string_view text_;
    std::uint64_t number_ = 0;
    double real_ = 0;
};

/// Who sees a field: a layout may need a text that is only padding of other fields.
enum class Audience : std::uint8_t { both, text_only };

/// A named value. Names are lower case words joined by `_`, as JSON shows them. A field that the
/// layout does not name appears in JSON alone.
struct Field {
    std::string_view name;
    FieldValue value;
    Audience audience = Audience::both;
};

/// Layouts: `{name}`, `{name:<10}` pads right to 10, `{name:>6}` pads left, `{name:x}` and
/// `{name:08x}` print hexadecimal, `{name:05}` pads with zeros, `{name:.3}` prints a real with 3
/// digits; `{{` and `}}` are braces. A name without a field is a bug.
class Output {
  public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    virtual ~Output() = default;

    /// Opens a record. At the top it is one object of the reply's array (with `"record": kind`),
    /// inside a record one more element of the array member `kind`. Text does not show records.
    virtual void begin(std::string_view kind) = 0;
    /// Opens an object as the member `name` of the open record.
    virtual void begin_object(std::string_view name) = 0;
    /// Closes what was opened last.
    virtual void end() = 0;

    /// One line of the reply. A text line over 511 bytes is cut at the protocol's limit, so long
    /// values go through named_value().
    virtual void line(ReplyCode code, std::string_view layout, std::span<const Field> fields) = 0;

    void line(ReplyCode code, std::string_view layout, std::initializer_list<Field> fields) {
        line(code, layout, std::span<const Field>(fields.begin(), fields.size()));
    }

    /// A line without fields, printed as it is (braces have no meaning). JSON ignores it unless the
    /// code is one of success or failure: then it is an object with `code` and `message`.
    virtual void text(ReplyCode code, std::string_view verbatim) = 0;
    /// Fields for JSON alone.
    virtual void fields(std::span<const Field> fields) = 0;

    void fields(std::initializer_list<Field> list) {
        fields(std::span<const Field>(list.begin(), list.size()));
    }

    /// `\tNAME: VALUE`, wrapped at spaces with two tabs when too long; in JSON the member `name`.
    virtual void named_value(ReplyCode code, std::string_view name, const FieldValue& value) = 0;

    /// The last line of the reply; nothing may follow. Open records are closed.
    virtual void finish(ReplyCode code, std::string_view verbatim) = 0;

    /// The usual end of a reply without text.
    void done() { finish(ReplyCode::ok, {}); }

    /// A long answer stops here and goes on when the client has read more.
    [[nodiscard]] virtual bool full() const = 0;
    [[nodiscard]] virtual bool finished() const = 0;
};

/// Prints a layout with its fields to `out`.
void format_layout(std::string& out, std::string_view layout, std::span<const Field> fields);

}  // namespace tern::cli
