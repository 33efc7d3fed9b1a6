// The programs of planted_orders.h with std::mutex, one for each run, for the thread sanitizer and
// Helgrind: planted_orders_std NUMBER. Planted ones first, then the correct ones.

#include "stress/locking/planted_orders.h"

#include <cstdlib>
#include <mutex>

namespace {

class StdLock {
  public:
    explicit StdLock(char /*level*/) {}

    void lock(int /*step*/) { mutex_.lock(); }

    bool try_lock(int /*step*/) { return mutex_.try_lock(); }

    void unlock() { mutex_.unlock(); }

    static void lock_pair(StdLock& a, StdLock& b, int /*step*/, std::vector<StdLock*>& held) {
        std::lock(a.mutex_, b.mutex_);
        held.insert(held.end(), {&a, &b});
    }

  private:
    std::mutex mutex_;
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<tern::stress::PlantedProgram> programs = tern::stress::planted_programs();
    for (const tern::stress::PlantedProgram& program : tern::stress::correct_programs())
        programs.push_back(program);
    const std::size_t number = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : programs.size();
    if (number >= programs.size()) return 2;
    tern::stress::PlantedRun<StdLock>().run(programs[number]);
    return 0;
}
