#pragma once

/// The JSON backend of the output visitor: a reply is one array of objects, sent as lines of code
/// 1100 whose texts joined without separator are the JSON; the last line has the same code and
/// text as in text mode, so a client's exit status does not depend on the format.
/// Streams: nothing is kept but the stack of open records. Owned by a session.

#include "router/cli/output.h"
#include "router/cli/reply.h"

#include <cstddef>
#include <string>
#include <vector>

namespace tern::cli {

class JsonOutput final : public Output {
  public:
    JsonOutput(ReplyBuffer& buffer, std::size_t bound) : buffer_(buffer), bound_(bound) {}

    using Output::fields;
    using Output::line;

    void begin(std::string_view kind) override;
    void begin_object(std::string_view name) override;
    void end() override;
    void line(ReplyCode code, std::string_view layout, std::span<const Field> fields) override;
    void text(ReplyCode code, std::string_view verbatim) override;
    void fields(std::span<const Field> fields) override;
    void named_value(ReplyCode code, std::string_view name, const FieldValue& value) override;
    void finish(ReplyCode code, std::string_view verbatim) override;

    [[nodiscard]] bool full() const override { return buffer_.size() + text_.size() >= bound_; }

    [[nodiscard]] bool finished() const override { return finished_; }

  private:
    /// An object that is open; `list` is the array member that is open in it, if any.
    struct Level {
        bool empty = true;
        std::string list;
    };

    void open_array();
    void close_list();
    void member(std::string_view name);
    void put_string(std::string_view value);
    void put_value(const FieldValue& value);
    void put_fields(std::span<const Field> fields);
    void message(ReplyCode code, std::string_view text, std::span<const Field> fields);
    void flush(bool all);

    ReplyBuffer& buffer_;
    std::size_t bound_;
    std::string text_;
    std::vector<Level> levels_;
    bool array_open_ = false;
    bool array_empty_ = true;
    bool finished_ = false;
};

}  // namespace tern::cli
