// What must not be: a function with a state of its own, as a hash helper once had. The test of the
// library's variables must find it.

namespace tern::stress {

unsigned hash_next(unsigned value) {
    static unsigned state = 1;
    state = state * 31 + value;
    return state;
}

}  // namespace tern::stress
