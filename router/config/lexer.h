#pragma once

/// Turns text into tokens, one at a time, following includes.
/// It borrows a SourceSet; the parser that reads from it owns it. A wrong character makes an
/// `invalid` token with the complaint, so nothing is reported before the parser gets there.
/// It knows no keyword and no symbol: it shares no state with the parser.

#include "router/config/source.h"
#include "router/config/token.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tern::config {

class Lexer {
  public:
    enum class Mode : std::uint8_t { file, command };

    /// Reads file number `file` of `sources`; includes are refused in command mode.
    Lexer(SourceSet& sources, std::uint32_t file, Mode mode);

    [[nodiscard]] Token next();

  private:
    struct Frame {
        std::uint32_t file = 0;
        std::string_view text;
        std::size_t at = 0;
        std::uint32_t line = 1;
        std::size_t line_start = 0;
    };

    [[nodiscard]] char look(std::size_t ahead) const;
    [[nodiscard]] Position here() const;
    [[nodiscard]] Token take(TokenKind kind, std::size_t length);
    [[nodiscard]] Token complain(Position position, std::string text);
    bool skip_blank(Token& problem);
    bool skip_comment(Token& problem);
    bool try_include(Token& problem);
    bool push_includes(std::string_view path, Position position, Token& problem);
    [[nodiscard]] Token read_number_or_address();
    [[nodiscard]] Token read_word();
    [[nodiscard]] Token read_string();
    [[nodiscard]] Token read_quoted();
    [[nodiscard]] Token read_punctuation();

    SourceSet* sources_;
    Mode mode_;
    std::vector<Frame> frames_;
    std::vector<std::string> pending_;     ///< further files of a pattern, last is next
    std::vector<std::size_t> pending_at_;  ///< frame depth each pending file belongs to
    std::vector<std::unique_ptr<std::string>> complaints_;
    bool line_start_ = true;
};

}  // namespace tern::config
