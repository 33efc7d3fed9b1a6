#include "stress/weak/machine.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tern::stress::weak {

namespace {

constexpr std::uint64_t shadow_bytes = 4;

bool releases(int order) {
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

bool acquires(int order) {
    return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
    std::uint64_t z = seed * 0x9e3779b97f4a7c15 + value + 1;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

std::uint64_t address_of(const void* at) {
    return reinterpret_cast<std::uintptr_t>(at);
}

}  // namespace

int as_written(Access, int order) {
    return order;
}

void Machine::clear() {
    numbers_.clear();
    shadows_.clear();
    words_.clear();
    knowledge_ = {};
    history_ = {};
    stores_ = 0;
    race_.clear();
}

void Machine::Knowledge::add(const Knowledge& other, unsigned words) {
    for (unsigned i = 0; i < words; ++i)
        seen[i] = std::max(seen[i], other.seen[i]);
    for (unsigned i = 0; i < threads_max; ++i)
        clock[i] = std::max(clock[i], other.clock[i]);
}

/// The first value of a word is what the host's memory has.
unsigned Machine::number_of(const void* word, unsigned bytes) {
    bool fresh = false;
    unsigned& number = numbers_.at(address_of(word), fresh);
    if (fresh) {
        number = static_cast<unsigned>(words_.size());
        TERN_ASSERT(number < words_max, "too many atomic words for a model");
        Word& made = words_.emplace_back();
        made.address = address_of(word);
        made.values.emplace_back();
        std::memcpy(&made.values.back().value, word, bytes);
    }
    return number;
}

void Machine::read(unsigned thread, unsigned number, std::uint32_t index, int order) {
    Knowledge& own = knowledge_[thread];
    const Word& word = words_[number];
    own.seen[number] = static_cast<std::uint8_t>(index);
    if (acquires(order))
        own.add(word.values[index].knowledge, static_cast<unsigned>(words_.size()));
    remember(thread, mix(word.address, word.values[index].value));
    Shadow& shadow = shadow_of(word.address);
    check(thread, word.address, shadow.writes, "an atomic read and a plain write");
    shadow.atomic_reads[thread] = own.clock[thread] + 1;
}

std::uint64_t Machine::load(unsigned thread, const void* word, unsigned bytes, int order) {
    order = orders_(Access::load, order);
    const unsigned number = number_of(word, bytes);
    std::uint32_t oldest = knowledge_[thread].seen[number];
    if (order == __ATOMIC_SEQ_CST) oldest = std::max(oldest, words_[number].last_consistent);
    const auto last = static_cast<std::uint32_t>(words_[number].values.size() - 1);
    const std::uint32_t index = last - chooser_.choose(last - oldest + 1);
    read(thread, number, index, order);
    return words_[number].values[index].value;
}

void Machine::store(unsigned thread, void* word, unsigned bytes, std::uint64_t value, int order) {
    append(thread, word, bytes, {value, 0, {}}, orders_(Access::store, order));
}

void Machine::change_newest(
    unsigned thread, void* word, unsigned bytes, std::uint64_t value, int order) {
    order = orders_(Access::exchange, order);
    const unsigned number = number_of(word, bytes);
    const auto last = static_cast<std::uint32_t>(words_[number].values.size() - 1);
    read(thread, number, last, order);
    append(thread, word, bytes, {value, 0, words_[number].values[last].knowledge}, order);
}

/// `value` has the knowledge of the release sequence that it goes on with, if any.
void Machine::append(unsigned thread, void* at, unsigned bytes, Value value, int order) {
    const unsigned number = number_of(at, bytes);
    Knowledge& own = knowledge_[thread];
    Word& word = words_[number];
    const std::size_t index = word.values.size();
    TERN_ASSERT(index <= UINT8_MAX, "too many stores to a word for a model");
    own.seen[number] = static_cast<std::uint8_t>(index);
    Shadow& shadow = shadow_of(word.address);
    check(thread, word.address, shadow.writes, "an atomic write and a plain write");
    check(thread, word.address, shadow.reads, "an atomic write and a plain read");
    shadow.atomic_writes[thread] = own.clock[thread] + 1;
    if (releases(order)) {
        ++own.clock[thread];
        value.knowledge.add(own, static_cast<unsigned>(words_.size()));
    }
    if (order == __ATOMIC_SEQ_CST) word.last_consistent = static_cast<std::uint32_t>(index);
    remember(thread, mix(word.address, value.value));
    value.writer = history_[thread] + fingerprint_of(value.knowledge);
    std::memcpy(at, &value.value, bytes);
    word.values.push_back(std::move(value));
    ++stores_;
}

bool Machine::compare_exchange(unsigned thread,
                               void* word,
                               unsigned bytes,
                               std::uint64_t& expected,
                               std::uint64_t value,
                               int success,
                               int failure) {
    const std::uint64_t old = newest(word, bytes);
    if (old == expected) {
        change_newest(thread, word, bytes, value, success);
        return true;
    }
    const unsigned number = number_of(word, bytes);
    const auto last = static_cast<std::uint32_t>(words_[number].values.size() - 1);
    read(thread, number, last, orders_(Access::failed_exchange, failure));
    expected = old;
    return false;
}

/// What a thread does counts by its clock before its next release: what was done before one that
/// has been acquired is known.
void Machine::check(unsigned thread, std::uint64_t at, const Clock& others, const char* what) {
    for (unsigned i = 0; i < threads_max; ++i) {
        if (i == thread || others[i] <= knowledge_[thread].clock[i] || !race_.empty()) continue;
        race_ = std::string("a race: ") + what + " at " + std::to_string(at);
    }
}

/// Compilers merge accesses to neighbours, so they are told apart by their fours of bytes only.
Machine::Shadow& Machine::shadow_of(std::uint64_t address) {
    bool fresh = false;
    return shadows_.at(address / shadow_bytes, fresh);
}

void Machine::plain_read(unsigned thread, const void* at, std::size_t bytes) {
    const std::uint64_t start = address_of(at);
    for (std::uint64_t address = start; address < start + bytes; address += shadow_bytes) {
        Shadow& shadow = shadow_of(address);
        check(thread, address, shadow.writes, "a plain read and a plain write");
        check(thread, address, shadow.atomic_writes, "a plain read and an atomic write");
        shadow.reads[thread] = knowledge_[thread].clock[thread] + 1;
    }
}

void Machine::plain_write(unsigned thread, const void* at, std::size_t bytes) {
    const std::uint64_t start = address_of(at);
    for (std::uint64_t address = start; address < start + bytes; address += shadow_bytes) {
        Shadow& shadow = shadow_of(address);
        check(thread, address, shadow.writes, "two plain writes");
        check(thread, address, shadow.reads, "a plain write and a plain read");
        check(thread, address, shadow.atomic_writes, "a plain write and an atomic write");
        check(thread, address, shadow.atomic_reads, "a plain write and an atomic read");
        shadow.writes[thread] = knowledge_[thread].clock[thread] + 1;
    }
}

bool Machine::catch_up(unsigned thread) {
    bool news = false;
    for (std::size_t i = 0; i < words_.size(); ++i) {
        const std::size_t last = words_[i].values.size() - 1;
        news = news || knowledge_[thread].seen[i] != last;
        knowledge_[thread].seen[i] = static_cast<std::uint8_t>(last);
    }
    remember(thread, news ? 1 : 0);
    return news;
}

void Machine::remember(unsigned thread, std::uint64_t what) {
    history_[thread] = mix(history_[thread], what);
}

std::uint64_t Machine::fingerprint() const {
    std::uint64_t all = 0;
    for (const Word& word : words_) {
        if (word.values.size() == 1) continue;  // who read it remembers that
        std::uint64_t one = mix(word.address, word.last_consistent);
        for (const Value& value : word.values)
            one = mix(one, value.writer);
        all += one;
    }
    for (unsigned i = 0; i < threads_max; ++i)
        all = mix(all, history_[i] + fingerprint_of(knowledge_[i]));
    return all;
}

/// Words are numbered as an execution came across them, so their addresses count.
std::uint64_t Machine::fingerprint_of(const Knowledge& knowledge) const {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < words_.size(); ++i)
        if (knowledge.seen[i] != 0) all += mix(words_[i].address, knowledge.seen[i]);
    for (const std::uint32_t count : knowledge.clock)
        all = mix(all, count);
    return all;
}

}  // namespace tern::stress::weak
