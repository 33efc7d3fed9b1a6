#include "router/cli/session.h"

#include "locking/check.h"
#include "router/cli/command_parser.h"
#include "router/cli/output_json.h"
#include "router/cli/output_text.h"

#include <algorithm>

namespace tern::cli {
namespace {

/// Commands and steps of one run(); other sessions and the router have their turn in between.
constexpr int run_share = 16;
constexpr std::string_view blanks = " \t\r";
constexpr std::string_view json_prefix = "json";

/// Where a reply goes that nobody waits for.
class NullOutput final : public Output {
  public:
    void begin(std::string_view) override {}

    void begin_object(std::string_view) override {}

    void end() override {}

    void line(ReplyCode, std::string_view, std::span<const Field>) override {}

    void text(ReplyCode, std::string_view) override {}

    void fields(std::span<const Field>) override {}

    void named_value(ReplyCode, std::string_view, const FieldValue&) override {}

    void finish(ReplyCode, std::string_view) override {}

    [[nodiscard]] bool full() const override { return false; }

    [[nodiscard]] bool finished() const override { return true; }
};

std::string_view strip(std::string_view text) {
    const std::size_t start = text.find_first_not_of(blanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

}  // namespace

Session::Session(const CommandTable& table, SessionOwner& owner, const Personality& personality)
    : table_(table), owner_(owner), personality_(personality) {}

Session::~Session() = default;

void Session::greet() {
    buffer_.last(ReplyCode::welcome, "BIRD 3.3.2 ready.");
}

std::size_t Session::input_room() const {
    return command_line_max + 1 - input_.size();
}

void Session::receive(std::span<const char> bytes) {
    TERN_ASSERT(bytes.size() <= input_room(), "more input than there is room for");
    if (orphaned_) return;
    input_.append(bytes.data(), bytes.size());
}

void Session::end_of_input() {
    input_ended_ = true;
}

Session::Next Session::next_line(std::string& line) {
    while (true) {
        const std::size_t feed = input_.find('\n');
        if (input_state_ == Input::skipping) {
            input_.erase(0, feed == std::string::npos ? input_.size() : feed + 1);
            if (feed == std::string::npos) return Next::nothing;
            input_state_ = Input::line;
            continue;
        }
        if (feed != std::string::npos) {
            line.assign(input_, 0, feed);
            input_.erase(0, feed + 1);
            return Next::line;
        }
        if (input_.size() <= command_line_max) return Next::nothing;
        input_.clear();
        input_state_ = Input::skipping;
        return Next::too_long;
    }
}

bool Session::run() {
    for (int share = run_share; share > 0; --share) {
        if (!run_once()) return false;
    }
    return true;
}

/// One command or one step; false if there is nothing to do before something happens.
bool Session::run_once() {
    if (buffer_.size() >= reply_bytes_max) return false;
    if (long_reply_ != nullptr) {
        if (waiting_) return false;
        step();
        return true;
    }
    if (orphaned_) return false;
    std::string line;
    switch (next_line(line)) {
        case Next::nothing:
            return false;
        case Next::line:
            execute(line);
            return true;
        case Next::too_long:
            buffer_.last(ReplyCode::command_too_long, "Command too long");
            return true;
    }
    return false;
}

void Session::begin_reply(bool json) {
    buffer_.restart();
    if (json) {
        output_ = std::make_unique<JsonOutput>(buffer_, reply_bytes_max);
    } else {
        output_ = std::make_unique<TextOutput>(buffer_, reply_bytes_max);
    }
}

void Session::execute(std::string_view line) {
    line = strip(line);
    owner_.command_received(*this, line);
    bool json = personality_.json;
    if (line.starts_with(json_prefix) && line.size() > json_prefix.size() &&
        blanks.find(line[json_prefix.size()]) != std::string_view::npos) {
        json = true;
        line = strip(line.substr(json_prefix.size()));
    }
    begin_reply(json);
    const Result<ParsedCommand> parsed = parse_command(table_, line);
    if (!parsed) {
        output_->finish(ReplyCode::parse_error, parsed.error().text);
        output_.reset();
        return;
    }
    const Command& command = *parsed->command;
    if (personality_.restricted && command.access == Access::unrestricted) {
        output_->finish(ReplyCode::access_denied, "Access denied");
        output_.reset();
        return;
    }
    TERN_ASSERT(command.handler != nullptr, "a command without function: ", command.words);
    CommandContext context(*output_, *this, parsed->arguments);
    command.handler(command.closure, context);
    long_reply_ = context.take_long_reply();
    if (long_reply_ != nullptr) return;
    TERN_ASSERT(output_->finished(), "a command left no end of its reply: ", command.words);
    output_.reset();
}

void Session::step() {
    in_step_ = true;
    resumed_ = false;
    const Step result = long_reply_->step(*output_);
    in_step_ = false;
    switch (result) {
        case Step::more:
            return;
        case Step::wait:
            // The answer may have come before the step returned.
            waiting_ = !resumed_;
            return;
        case Step::finished:
            TERN_ASSERT(output_->finished(), "a long reply left no end");
            long_reply_.reset();
            output_.reset();
            muted_ = false;
            return;
    }
}

void Session::resume() {
    waiting_ = false;
    resumed_ = true;
    if (!in_step_) owner_.session_ready(*this);
}

void Session::mute() {
    if (muted_) return;
    if (long_reply_->cancel()) {
        long_reply_.reset();
        output_.reset();
        waiting_ = false;
    } else {
        output_ = std::make_unique<NullOutput>();
        muted_ = true;
    }
}

void Session::stop_long_reply(ReplyCode code, std::string_view text) {
    TERN_ASSERT(!in_step_, "a long reply stops itself");
    if (long_reply_ == nullptr || output_->finished()) return;
    output_->finish(code, text);
    mute();
    owner_.session_ready(*this);
}

bool Session::orphan() {
    TERN_ASSERT(!in_step_, "a session loses its socket within its own step");
    orphaned_ = true;
    buffer_.clear();
    input_.clear();
    if (long_reply_ != nullptr) mute();
    return long_reply_ == nullptr;
}

void Session::notice(std::string_view text) {
    if (orphaned_) return;
    buffer_.notice(text);
    owner_.session_ready(*this);
}

bool Session::runnable() const {
    if (long_reply_ != nullptr) return !waiting_;
    return input_.size() > command_line_max || input_.find('\n') != std::string::npos;
}

bool Session::done() const {
    if (long_reply_ != nullptr) return false;
    if (orphaned_) return true;
    return input_ended_ && buffer_.size() == 0 && input_.find('\n') == std::string::npos;
}

}  // namespace tern::cli
