#pragma once
/// Failures that the operating system reports, as results: an errno and the step that failed.
/// Plain values for any domain; used by everything in this folder and by its callers, which decide
/// whether to log, retry or give up. Never thrown, never printed here.

#include "router/base/result.h"

#include <string>
#include <string_view>

namespace tern::os {

/// `number` is an errno; `text` names the step and the reason: "bind: Address already in use".
struct SystemError {
    int number = 0;
    std::string text;
};

template <class T>
using SystemResult = Result<T, SystemError>;

/// Makes the text out of the step and the errno.
[[nodiscard]] SystemError system_error(std::string_view step, int number);
/// The same as the failed side of a result.
[[nodiscard]] tl::unexpected<SystemError> system_failure(std::string_view step, int number);

}  // namespace tern::os
