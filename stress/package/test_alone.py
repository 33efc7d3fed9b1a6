"""Each library configures by itself, and inside a project that adds its folder."""

import os
import shutil
import unittest

from package.tree import BUILD, SCRATCH, SOURCE, configure, run, try_configure, write


def fresh(name, parent=SCRATCH):
    folder = os.path.join(parent, name)
    shutil.rmtree(folder, ignore_errors=True)
    return folder


class Alone(unittest.TestCase):
    def test_each_library_builds_and_passes_its_tests(self):
        for name in ("locking", "alloc", "loops"):
            with self.subTest(name):
                # Beside our build, where paths are as long: the compiler's cache has it then.
                build = fresh(f"alone_{name}", os.path.dirname(BUILD))
                configure(os.path.join(SOURCE, name), build)
                run("cmake", "--build", build, "-j", "2", "--target", f"test_{name}",
                    f"{name}_first_program")
                output = run("ctest", "--test-dir", build, "--output-on-failure", "-R",
                             f"^{name}(_first_program)?$")
                self.assertIn("100% tests passed, 0 tests failed out of 2", output)

    def test_the_highest_one_brings_the_others_and_installs(self):
        build = fresh("alone_loops_built", os.path.dirname(BUILD))
        prefix = fresh("alone_prefix")
        configure(os.path.join(SOURCE, "loops"), build, "-DTERN_TESTS=OFF")
        run("cmake", "--build", build, "-j", "2")
        run("cmake", "--install", build, "--prefix", prefix)
        for name in ("locking", "alloc", "loops"):
            self.assertTrue(os.path.exists(os.path.join(prefix, f"lib/libtern_{name}.a")))
            self.assertTrue(os.path.isdir(os.path.join(prefix, "include/tern", name)))

    def test_a_project_that_adds_the_folders_gets_no_flags_and_no_tests(self):
        folder = fresh("added")
        write(f"""cmake_minimum_required(VERSION 3.25)
project(added LANGUAGES CXX)
add_subdirectory({SOURCE}/loops tern)
add_executable(added main.cc)
target_link_libraries(added PRIVATE tern::loops)
""", folder, "CMakeLists.txt")
        write('#include "loops/runtime.h"\nint main() { int shadowed = 0; '
              '{ int shadowed = 1; (void)shadowed; } return shadowed; }\n', folder, "main.cc")
        build = os.path.join(folder, "build")
        configure(folder, build)
        commands = run("ninja", "-C", build, "-t", "commands", "CMakeFiles/added.dir/main.cc.o")
        added = [line for line in commands.splitlines() if "added.dir" in line][0]
        for flag in ("-Werror", "-Wshadow", "-fno-exceptions", "ccache"):
            self.assertNotIn(flag, added)
        self.assertFalse("test_loops" in run("ninja", "-C", build, "-t", "targets", "all"))
        run("cmake", "--build", build, "--target", "CMakeFiles/added.dir/main.cc.o")

    def test_the_whole_tree_may_be_added(self):
        folder = fresh("tree")
        write(f"""cmake_minimum_required(VERSION 3.25)
project(tree LANGUAGES CXX)
add_subdirectory({SOURCE} tern)
if(TARGET tern_base OR NOT TARGET tern::loops)
    message(FATAL_ERROR "the libraries, and nothing of the router")
endif()
""", folder, "CMakeLists.txt")
        done = try_configure(folder, os.path.join(folder, "build"))
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
