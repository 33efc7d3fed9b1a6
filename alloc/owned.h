#pragma once

/// Owned<T>: the one owning pointer. It knows the pool or slab its object came from and gives the
/// object back there. Movable, not copyable, may be empty.
/// Giving back needs the domain of that pool or slab; the pool or slab checks it. The home must
/// outlive the pointer. Nothing is counted, shared or atomic.

#include "locking/check.h"

#include <type_traits>
#include <utility>

namespace tern::alloc {

/// Gives its object back when it ends, with the domain of the object's home held then; empty after
/// a move. Using an empty one aborts.
template <class T>
class [[nodiscard]] Owned {
  public:
    /// Destroys `origin`, which came from `home`.
    using Release = void (*)(void* home, void* origin) noexcept;

    Owned() = default;

    Owned(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

    /// For homes only; users get theirs from make_owned().
    Owned(T& object, void* origin, void* home, Release release)
        : object_(&object), origin_(origin), home_(home), release_(release) {}

    Owned(Owned&& other) noexcept
        : object_(std::exchange(other.object_, nullptr)),
          origin_(other.origin_),
          home_(other.home_),
          release_(other.release_) {}

    /// An owned derived object as an owned base.
    template <class D, class = std::enable_if_t<std::is_convertible_v<D*, T*>>>
    Owned(Owned<D>&& other) noexcept  // NOLINT(google-explicit-constructor)
        : object_(other.object_),
          origin_(other.origin_),
          home_(other.home_),
          release_(other.release_) {
        other.object_ = nullptr;
    }

    Owned& operator=(Owned&& other) noexcept {
        if (this != &other) {
            reset();
            object_ = std::exchange(other.object_, nullptr);
            origin_ = other.origin_;
            home_ = other.home_;
            release_ = other.release_;
        }
        return *this;
    }

    ~Owned() { reset(); }

    void reset() noexcept {
        if (object_ != nullptr) {
            object_ = nullptr;
            release_(home_, origin_);
        }
    }

    T* get() const { return object_; }

    T& operator*() const {
        TERN_ASSERT(object_ != nullptr, "empty Owned used");
        return *object_;
    }

    T* operator->() const {
        TERN_ASSERT(object_ != nullptr, "empty Owned used");
        return object_;
    }

    explicit operator bool() const { return object_ != nullptr; }

  private:
    template <class>
    friend class Owned;

    T* object_ = nullptr;
    void* origin_ = nullptr;
    void* home_ = nullptr;
    Release release_ = nullptr;
};

}  // namespace tern::alloc
