#pragma once

/// A client: a loop of the worker group with a domain and a pool of its own. What talks to the
/// client (descriptor, watcher, timer, buffers) is a Session in that pool and dies with it. The
/// server owns the connection and destroys it when its loop has stopped.

#include "loops/file_descriptor.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "store.h"

#include <atomic>
#include <cstdlib>

#include <sys/socket.h>

namespace kvd {

class Connection {
  public:
    /// Owns `fd`. `closed` comes to the main loop when the last handler here has run.
    Connection(
        alloc::Pool& all, loops::ThreadGroup& group, Store& store, int fd, loops::Callback closed)
        : store_(store),
          loop_(group, domain_, "connection"),
          pool_(all.child_of(domain_, "connection")),
          closed_(closed) {
        const loops::LoopEntry entry(loop_);
        pool_.make<Session>(*this, fd);
    }

    ~Connection() { pool_.parent()->destroy(pool_); }

    /// Any thread, any number of times.
    void close() {
        if (!closing_.exchange(true)) loop_.stop(loop_.runtime().main_loop(), closed_);
    }

  private:
    class Session;

    Store& store_;
    locking::Domain<Peer> domain_;
    loops::Loop loop_;
    alloc::Pool& pool_;
    loops::Event closed_;
    std::atomic<bool> closing_{false};
};

/// Everything here runs in the connection's loop.
class Connection::Session {
  public:
    Session(Connection& owner, int fd)
        : owner_(owner),
          fd_(fd),
          watcher_(owner.loop_,
                   fd,
                   loops::Interest::readable,
                   loops::watch_function<&Session::on_ready, Session>(),
                   this),
          idle_(owner.loop_, loops::callback<&Connection::close>(owner)) {
        idle_.in(idle_max);
    }

  private:
    static constexpr loops::Duration idle_max = loops::seconds(60);
    static constexpr std::size_t line_max = 4096;

    void on_ready(loops::Turn& turn, loops::Ready ready) {
        char buffer[2048];
        const ssize_t got = ready.readable ? recv(fd_.get(), buffer, sizeof buffer, 0) : -1;
        if (got == 0 || ready.error || ready.hangup) return owner_.close();
        if (got > 0) {
            idle_.in(idle_max);
            input_.append(buffer, static_cast<std::size_t>(got));
            answer_lines(turn);
        }
        flush();
    }

    void answer_lines(loops::Turn& turn) {
        auto held = turn.holding(owner_.domain_);
        owner_.store_.with(held, [&](Values& values, auto&) {
            for (std::size_t end; !leaving_ && (end = input_.find('\n')) != std::string::npos;) {
                const std::string_view line = std::string_view(input_).substr(0, end);
                output_ += answer(values, line, turn.now()) + '\n';
                input_.erase(0, end + 1);
            }
        });
        if (input_.size() > line_max) leaving_ = true;
    }

    std::string answer(Values& values, std::string_view line, loops::Instant now) {
        const std::string_view command = next_word(line);
        const std::string key(next_word(line));
        if (command == "set") {
            const long life_s = std::atol(std::string(next_word(line)).c_str());
            if (life_s <= 0) return "error: set KEY SECONDS VALUE";
            values[key] = {std::string(line), now + loops::seconds(life_s)};
            return "ok";
        }
        if (command == "get") {
            const auto found = values.find(key);
            const bool alive = found != values.end() && found->second.expiry > now;
            return alive ? "value " + found->second.text : "none";
        }
        if (command == "count") return std::to_string(values.size());
        if (command != "quit") return "error: set, get, count or quit";
        leaving_ = true;
        return "bye";
    }

    static std::string_view next_word(std::string_view& line) {
        const std::string_view word = line.substr(0, line.find(' '));
        line.remove_prefix(std::min(word.size() + 1, line.size()));
        return word;
    }

    /// A client that does not read its answers is not read from either.
    void flush() {
        const ssize_t sent = send(fd_.get(), output_.data(), output_.size(), MSG_NOSIGNAL);
        if (sent > 0) output_.erase(0, static_cast<std::size_t>(sent));
        if (output_.empty() && leaving_) return owner_.close();
        watcher_.set_interest(output_.empty() ? loops::Interest::readable
                                              : loops::Interest::writable);
    }

    Connection& owner_;
    loops::FileDescriptor fd_;
    loops::Watcher watcher_;
    loops::Timer idle_;
    std::string input_;
    std::string output_;
    bool leaving_ = false;
};

}  // namespace kvd
