// Sessions of the control socket must survive any bytes and any end: replies stay framed, memory
// bounded, and a session whose client has gone lives until what it asked elsewhere has ended, and
// no longer. Bytes that are no text say what else happens: see `Happening`.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/cli/command_context.h"
#include "router/cli/session.h"
#include "router/cli/session_commands.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using tern::cli::CommandContext;
using tern::cli::Output;
using tern::cli::ReplyCode;
using tern::cli::Session;
using tern::cli::Step;

enum Happening : std::uint8_t {
    notice = 0xfa,        ///< the daemon says something of its own
    stop = 0xfb,          ///< a reply in progress is ended by the daemon
    answer = 0xfc,        ///< what a session asked elsewhere has come
    stick = 0xfd,         ///< the client reads nothing any more, or goes on
    end_of_input = 0xfe,  ///< it has said all
    disconnect = 0xff,    ///< it has gone; the next one comes
};

class Asking;

/// What was asked for and not answered yet, the oldest first.
struct Elsewhere {
    std::vector<Asking*> asked;
};

/// A reply that asks elsewhere for each third of its rows. `kept`: it cannot go while it waits.
class Asking final : public tern::cli::LongReply {
  public:
    Asking(Elsewhere& elsewhere, Session& session, std::size_t rows, bool kept)
        : elsewhere_(elsewhere), session_(session), rows_(rows), kept_(kept) {}

    ~Asking() override {
        TERN_ASSERT(!kept_ || !asks(), "a reply goes although it is still referred to");
        std::erase(elsewhere_.asked, this);
    }

    Step step(Output& out) override {
        TERN_ASSERT(!asks(), "a step of a reply that waits");
        if (cancelled_) return Step::finished;
        while (!out.full() && rows_ > 0) {
            out.line(ReplyCode::route, "row {number}", {{"number", static_cast<int>(rows_--)}});
            if (rows_ % 3 != 0) continue;
            elsewhere_.asked.push_back(this);
            return Step::wait;
        }
        if (rows_ > 0) return Step::more;
        out.done();
        return Step::finished;
    }

    bool cancel() override {
        cancelled_ = true;
        return !kept_ || !asks();
    }

    void answer() {
        std::erase(elsewhere_.asked, this);
        session_.resume();
    }

  private:
    bool asks() const {
        return std::find(elsewhere_.asked.begin(), elsewhere_.asked.end(), this) !=
               elsewhere_.asked.end();
    }

    Elsewhere& elsewhere_;
    Session& session_;
    std::size_t rows_;
    bool kept_;
    bool cancelled_ = false;
};

template <bool kept>
void ask(void* elsewhere, CommandContext& context) {
    const std::size_t rows = context.arguments().size() * 7;
    context.continue_with(std::make_unique<Asking>(*static_cast<Elsewhere*>(elsewhere),
                                                   context.session(), rows, kept));
}

bool is_framed(std::string_view line) {
    if (line.size() > tern::cli::reply_line_max) return false;
    if (line.starts_with(' ') || line.starts_with('+')) return true;
    const auto digit = [](char byte) { return byte >= '0' && byte <= '9'; };
    return line.size() > 4 && std::all_of(line.begin(), line.begin() + 4, digit) &&
           (line[4] == ' ' || line[4] == '-');
}

/// The daemon's side of the socket, with one client after the other.
class Server final : public tern::cli::SessionOwner {
  public:
    Server() {
        tern::cli::add_session_commands(table_);
        table_.add({.words = "ask", .handler = ask<false>, .closure = &elsewhere_});
        table_.add({.words = "hold", .handler = ask<true>, .closure = &elsewhere_});
        accept();
    }

    void session_ready(Session&) override {}

    void command_received(Session&, std::string_view) override {}

    void receive(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t some = std::min(bytes.size(), session_->input_room());
            session_->receive(std::span<const char>(bytes.data(), some));
            bytes.remove_prefix(some);
            turn();
            if (some == 0) return;  // it waits for room, and so would its client
        }
    }

    void happen(std::uint8_t what) {
        switch (what) {
            case notice:
                session_->notice("something of the daemon's own");
                break;
            case stop:
                session_->stop_long_reply(ReplyCode::stopped, "Stopped");
                break;
            case answer:
                if (!elsewhere_.asked.empty()) elsewhere_.asked.front()->answer();
                break;
            case stick:
                stuck_ = !stuck_;
                break;
            case end_of_input:
                say_goodbye();
                accept();
                break;
            default:
                leave();
                accept();
        }
        turn();
    }

    /// The last client has said all; everything comes to its end.
    void finish() {
        say_goodbye();
        leave();
        while (!elsewhere_.asked.empty()) {
            elsewhere_.asked.front()->answer();
            turn();
        }
        TERN_ASSERT(orphans_.empty(), "an orphan stays for nothing");
    }

  private:
    void accept() {
        session_ = std::make_unique<Session>(table_, *this, tern::cli::Personality{});
        session_->greet();
        stuck_ = false;
        line_.clear();
    }

    void leave() {
        if (!session_->orphan()) orphans_.push_back(std::move(session_));
        session_.reset();
    }

    void say_goodbye() {
        session_->end_of_input();
        stuck_ = false;
        for (turn(); !session_->done(); turn()) {
            TERN_ASSERT(!elsewhere_.asked.empty(), "input is not answered, and nothing is awaited");
            elsewhere_.asked.front()->answer();
        }
    }

    void turn() {
        for (bool more = session_ != nullptr; more;) {
            more = session_->run();
            const std::string_view out = session_->pending_output();
            TERN_ASSERT(out.size() <= 2 * tern::cli::reply_bytes_max, "output is bounded");
            if (stuck_) {
                more = more && out.size() < tern::cli::reply_bytes_max;
                continue;
            }
            read(out);
            session_->sent(out.size());
            more = more || session_->runnable();
        }
        std::erase_if(orphans_, [](const std::unique_ptr<Session>& orphan) {
            while (orphan->run()) {
            }
            TERN_ASSERT(orphan->pending_output().empty(), "output for nobody");
            return orphan->done();
        });
    }

    void read(std::string_view out) {
        line_ += out;
        for (std::size_t end = 0; (end = line_.find('\n')) != std::string::npos;) {
            TERN_ASSERT(is_framed(std::string_view(line_).substr(0, end)),
                        "a line without framing");
            line_.erase(0, end + 1);
        }
    }

    tern::cli::CommandTable table_;
    Elsewhere elsewhere_;
    std::unique_ptr<Session> session_;
    std::vector<std::unique_ptr<Session>> orphans_;
    std::string line_;  ///< as far as the client has read it
    bool stuck_ = false;
};

}  // namespace

TERN_FUZZ(control_line, data, size) {
    Server server;
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    while (!bytes.empty()) {
        const auto is_text = [](char byte) { return static_cast<std::uint8_t>(byte) < notice; };
        const auto end = std::find_if_not(bytes.begin(), bytes.end(), is_text);
        const auto text = static_cast<std::size_t>(end - bytes.begin());
        server.receive(bytes.substr(0, text));
        bytes.remove_prefix(text);
        if (bytes.empty()) break;
        server.happen(static_cast<std::uint8_t>(bytes.front()));
        bytes.remove_prefix(1);
    }
    server.finish();
}
