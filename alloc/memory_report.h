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

}  // namespace tern::alloc
