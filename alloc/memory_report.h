#pragma once

/// Who uses how much memory: the walk over a tree of pools, as calls to a visitor.
/// The walk belongs to Pool::report(); it holds each pool's domain while that pool is described and
/// no longer. The visitor is borrowed for the walk. It must not allocate from the pools it is
/// shown. Nothing here keeps the figures.

#include "locking/check.h"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tern::alloc {

/// Bytes that the user asked for, and bytes spent to manage them (heads, rounding, free slots).
struct MemoryUsage {
    std::size_t effective = 0;
    std::size_t overhead = 0;

    std::size_t total() const { return effective + overhead; }

    MemoryUsage& operator+=(const MemoryUsage& other) {
        effective += other.effective;
        overhead += other.overhead;
        return *this;
    }

    bool operator==(const MemoryUsage&) const = default;
};

/// Told of a tree of pools, outermost first, in the thread that walks and with the domain of the
/// pool held; texts are lent for the call. See the head of the file for what it may do.
class MemoryVisitor {
  public:
    virtual ~MemoryVisitor() = default;
    /// A pool opens; what follows until leave_pool() is inside.
    virtual void enter_pool(std::string_view name, std::string_view domain) = 0;
    /// One resource of the pool opened last, or a "busy pool" that was left out.
    virtual void resource(std::string_view kind,
                          std::string_view name,
                          const MemoryUsage& usage) = 0;
    /// `usage` is the sum of the pool's own resources and all pools inside.
    virtual void leave_pool(std::string_view name, const MemoryUsage& usage) = 0;
};

/// Writes the tree as indented text, one line per resource. Owns the text.
class MemoryText final : public MemoryVisitor {
  public:
    void enter_pool(std::string_view name, std::string_view domain) override;
    void resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) override;
    void leave_pool(std::string_view name, const MemoryUsage& usage) override;

    const std::string& text() const { return text_; }

  private:
    void line(std::string_view label, std::string_view name, const MemoryUsage* usage);

    std::string text_;
    std::size_t depth_ = 0;
};

/// Writes the tree as one JSON object: pool, domain, contents (resources and pools), and the sums
/// effective and overhead. Owns the text.
class MemoryJson final : public MemoryVisitor {
  public:
    void enter_pool(std::string_view name, std::string_view domain) override;
    void resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) override;
    void leave_pool(std::string_view name, const MemoryUsage& usage) override;

    const std::string& text() const { return text_; }

  private:
    void comma();
    void string(std::string_view value);
    void usage(const MemoryUsage& usage);

    std::string text_;
};

/// Writes the tree as text to a descriptor, which it borrows, without any memory: for the last
/// words of a process.
class MemoryLines final : public MemoryVisitor {
  public:
    explicit MemoryLines(int descriptor) : descriptor_(descriptor) {}

    void enter_pool(std::string_view name, std::string_view domain) override;
    void resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) override;
    void leave_pool(std::string_view name, const MemoryUsage& usage) override;

  private:
    void line(std::initializer_list<locking::TextPiece> pieces);

    int descriptor_;
    std::size_t depth_ = 0;
};

class Pool;

/// Remembers who uses most, pools as well as what is in them, in room of its own and without any
/// memory: for the last words of a process whose tree has many thousand entries.
class MemoryLargest final : public MemoryVisitor {
  public:
    void enter_pool(std::string_view name, std::string_view domain) override;
    void resource(std::string_view kind, std::string_view name, const MemoryUsage& usage) override;
    void leave_pool(std::string_view name, const MemoryUsage& usage) override;

    /// Adds a line for each, the largest first; a newline stands before each.
    void tell(locking::TextBuffer& report) const;

  private:
    static constexpr std::size_t entries_max = 16;
    static constexpr std::size_t text_max = 160;

    /// What it is and its path, cut if it is long.
    struct Entry {
        char text[text_max];
        std::size_t length;
        MemoryUsage usage;
    };

    void offer(std::initializer_list<locking::TextPiece> pieces, const MemoryUsage& usage);

    std::string_view path() const { return {path_, path_length_}; }

    Entry entries_[entries_max] = {};  ///< the largest first
    std::size_t count_ = 0;
    std::size_t left_out_ = 0;
    char path_[text_max] = {};  ///< of the pool opened last
    std::size_t path_length_ = 0;
    std::size_t path_cut_ = 0;  ///< bytes that did not fit
};

/// For PageCache::on_exhaustion(): tells who uses most from a root pool on. `root` is the Pool;
/// what others are at work in is left out.
void tell_largest(void* root, locking::TextBuffer& report) noexcept;

}  // namespace tern::alloc
