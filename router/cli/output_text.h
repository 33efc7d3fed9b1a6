#pragma once

/// The text backend of the output visitor: lines with BIRD's codes and layout.
/// It ignores records and fields that the layout does not name.
/// Owned by a session; writes to the session's reply buffer.

#include "router/cli/output.h"
#include "router/cli/reply.h"

#include <cstddef>
#include <string>

namespace tern::cli {

class TextOutput final : public Output {
  public:
    /// `bound`: bytes that may wait for the client before full() says so.
    TextOutput(ReplyBuffer& buffer, std::size_t bound) : buffer_(buffer), bound_(bound) {}

    using Output::fields;
    using Output::line;

    void begin(std::string_view) override {}

    void begin_object(std::string_view) override {}

    void end() override {}

    void line(ReplyCode code, std::string_view layout, std::span<const Field> fields) override;
    void text(ReplyCode code, std::string_view verbatim) override;

    void fields(std::span<const Field>) override {}

    void named_value(ReplyCode code, std::string_view name, const FieldValue& value) override;
    void finish(ReplyCode code, std::string_view verbatim) override;

    [[nodiscard]] bool full() const override { return buffer_.size() >= bound_; }

    [[nodiscard]] bool finished() const override { return finished_; }

  private:
    void wrapped(ReplyCode code);

    ReplyBuffer& buffer_;
    std::size_t bound_;
    bool finished_ = false;
    std::string scratch_;
};

}  // namespace tern::cli
