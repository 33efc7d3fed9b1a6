#include "stress/weak/explorer.h"

#include "locking/check.h"
#include "stress/weak/arena.h"

#include <cstddef>
#include <functional>
#include <utility>

namespace tern::stress::weak {

namespace {

constinit Explorer* explorer = nullptr;

alignas(64) constinit std::byte stacks[threads_max][128 * 1024]{};

}  // namespace

Explorer::Call::Call() : explorer_(whose_code == Whose::thread ? explorer : nullptr) {
    if (explorer_ != nullptr) whose_code = Whose::host;
}

Explorer::Call::~Call() {
    if (explorer_ != nullptr) whose_code = Whose::thread;
}

Findings Explorer::explore() {
    explorer = this;
    do {
        again_ = false;
        path_.clear();
        states_.clear();
        findings_ = {};
        do {
            execute();
            ++findings_.executions;
        } while (!again_ && findings_.wrong.empty() && next_path());
    } while (again_);
    explorer = nullptr;
    findings_.states = states_.size();
    return findings_;
}

unsigned Explorer::choose(unsigned count) {
    if (count == 1) return 0;
    if (depth_ == path_.size()) path_.push_back({0, count});
    TERN_ASSERT(path_[depth_].count == count, "a program is not the same each time");
    return path_[depth_++].chosen;
}

/// The next one in the order of their choices; false after the last.
bool Explorer::next_path() {
    while (!path_.empty() && ++path_.back().chosen == path_.back().count)
        path_.pop_back();
    return !path_.empty();
}

void Explorer::enter() {
    Explorer& self = *explorer;
    whose_code = Whose::thread;
    self.program_->run(self.thread_);
    whose_code = Whose::host;
    self.threads_[self.thread_].ended = true;
    self.leave();
}

void Explorer::start() {
    machine_.clear();
    depth_ = 0;
    clear_arena();
    whose_code = Whose::maker;
    program_ = make_();
    whose_code = Whose::host;
    for (unsigned i = 0; i < program_->threads(); ++i) {
        Thread& thread = threads_[i];
        thread.ended = false;
        thread.gate = {};
        getcontext(&thread.context);
        thread.context.uc_stack = {stacks[i], 0, sizeof stacks[i]};
        thread.context.uc_link = nullptr;
        makecontext(&thread.context, &Explorer::enter, 0);
        resume(i);  // up to its first access
    }
}

void Explorer::execute() {
    start();
    std::array<unsigned, threads_max> can{};
    for (std::size_t steps = 0; !again_ && findings_.wrong.empty(); ++steps) {
        if (!machine_.race().empty()) fail(machine_.race());
        if (steps > steps_max) fail("does not end");
        unsigned count = 0;
        for (unsigned i = 0; i < program_->threads(); ++i)
            if (ready(threads_[i])) can[count++] = i;
        if (count == 0) {
            whose_code = Whose::maker;
            const std::string_view left = program_->judge();
            whose_code = Whose::host;
            fail(left);
            break;
        }
        const bool fresh = depth_ == path_.size();
        if (fresh && !states_.insert(machine_.fingerprint()).second) break;
        resume(can[choose(count)]);
    }
}

bool Explorer::ready(const Thread& thread) {
    const Gate& gate = thread.gate;
    if (thread.ended) return false;
    if (gate.yielded) return machine_.stores() != gate.stores;
    return gate.word == nullptr || machine_.newest(gate.word, gate.bytes) != gate.value;
}

void Explorer::resume(unsigned thread) {
    thread_ = thread;
    swapcontext(&scheduler_, &threads_[thread].context);
}

void Explorer::leave() {
    const unsigned thread = thread_;
    swapcontext(&threads_[thread].context, &scheduler_);
    threads_[thread].gate = {};
    machine_.passed(thread);
}

void Explorer::before(const void* word, bool writes) {
    Users& users = users_[word];
    const bool was_shared = users.shared();
    const auto bit = static_cast<std::uint8_t>(1U << thread_);
    (writes ? users.writers : users.readers) |= bit;
    again_ = again_ || users.shared() != was_shared;
    if (users.shared()) leave();
}

void Explorer::wait_while(const void* word, unsigned bytes, std::uint64_t value) {
    threads_[thread_].gate = {.word = word, .bytes = bytes, .value = value};
    leave();
}

void Explorer::yield() {
    const bool news = machine_.catch_up(thread_);
    if (!news) threads_[thread_].gate = {.yielded = true, .stores = machine_.stores()};
    leave();
    machine_.catch_up(thread_);
}

void Explorer::fail(std::string_view what) {
    if (findings_.wrong.empty()) findings_.wrong = what;
}

/// What other threads have no address of, as a rule of the programs.
bool Explorer::on_stack(const void* at) {
    const auto* const byte = static_cast<const std::byte*>(at);
    return std::less_equal<>()(&stacks[0][0], byte) &&
           std::less<>()(byte, &stacks[0][0] + sizeof stacks);
}

Findings explore(Make make, Orders orders) {
    return Explorer(make, orders).explore();
}

void wait_while(const void* word, unsigned bytes, std::uint64_t value) {
    if (const Explorer::Call call; call) call->wait_while(word, bytes, value);
}

void yield() {
    if (const Explorer::Call call; call) call->yield();
}

void fail(std::string_view what) {
    if (const Explorer::Call call; call) call->fail(what);
}

}  // namespace tern::stress::weak
