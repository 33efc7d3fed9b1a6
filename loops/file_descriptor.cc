#include "loops/file_descriptor.h"

#include <unistd.h>

namespace tern::loops {

void FileDescriptor::reset() {
    // After EINTR Linux has closed the descriptor all the same; a retry could close somebody
    // else's.
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace tern::loops
