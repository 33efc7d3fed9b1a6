"""The installed package: find_package(tern), the example daemon on it, and what must not leak."""

import os
import shutil
import signal
import socket
import subprocess
import unittest

from package.tree import BUILD, SCRATCH, SOURCE, configure, read, run, try_configure, write

PREFIX = os.path.join(SCRATCH, "prefix")
SECONDS_MAX = 30

LOOK = """cmake_minimum_required(VERSION 3.25)
project(look LANGUAGES CXX)
find_package(tern {arguments})
if(NOT tern_FOUND)
    message(FATAL_ERROR "not found: ${{tern_NOT_FOUND_MESSAGE}}")
endif()
{more}
"""


def setUpModule():
    shutil.rmtree(PREFIX, ignore_errors=True)
    run("cmake", "--install", BUILD, "--prefix", PREFIX, "--component", "toolkit")


def look(name, arguments, more="", source=""):
    """Configures a project that asks for the package with these arguments."""
    folder = os.path.join(SCRATCH, name)
    shutil.rmtree(folder, ignore_errors=True)
    write(source, folder, "main.cc")
    write(LOOK.format(arguments=arguments, more=more), folder, "CMakeLists.txt")
    return folder, try_configure(folder, os.path.join(folder, "build"), f"-DCMAKE_PREFIX_PATH={PREFIX}")


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX)
        self.file = self.socket.makefile("rw", newline="\n")

    def send(self, text):
        self.file.write(text)
        self.file.flush()

    def line(self):
        return self.file.readline().rstrip("\n")

    def ask(self, question):
        self.send(question + "\n")
        return self.line()

    def close(self):
        self.file.close()
        self.socket.close()


class ExampleDaemon(unittest.TestCase):
    """docs/examples/kvd, built against the installed package."""

    @classmethod
    def setUpClass(cls):
        cls.build = os.path.join(SCRATCH, "kvd")
        shutil.rmtree(cls.build, ignore_errors=True)
        configure(os.path.join(SOURCE, "docs/examples/kvd"), cls.build,
                  f"-DCMAKE_PREFIX_PATH={PREFIX}")
        cls.output = run("cmake", "--build", cls.build, "--verbose")

    def setUp(self):
        self.daemon = subprocess.Popen([os.path.join(self.build, "kvd")], stdout=subprocess.PIPE,
                                       text=True)
        self.addCleanup(self.end)
        self.port = int(self.daemon.stdout.readline().split()[1])

    def end(self):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon.stdout.close()

    def client(self):
        one = Client(self.port)
        self.addCleanup(one.close)
        return one

    def test_builds_without_a_warning_or_our_flags(self):
        self.assertNotIn("warning", self.output)
        for flag in ("-Werror", "-Wshadow", "-ffile-prefix-map", "ccache"):
            self.assertNotIn(flag, self.output)

    def test_answers_several_clients_from_one_store(self):
        one, other = self.client(), self.client()
        self.assertEqual(one.ask("get colour"), "none")
        self.assertEqual(one.ask("set colour 60 dark green"), "ok")
        self.assertEqual(other.ask("get colour"), "value dark green")
        self.assertEqual(other.ask("count"), "1")
        self.assertEqual(other.ask("set colour soon red"), "error: set KEY SECONDS VALUE")
        self.assertEqual(other.ask("paint"), "error: set, get, count or quit")
        self.assertEqual(one.ask("quit"), "bye")
        self.assertEqual(one.line(), "")
        self.assertEqual(other.ask("get colour"), "value dark green")

    def test_answers_in_order_whatever_pieces_the_lines_come_in(self):
        one = self.client()
        one.send("set a 60 1\nset b 60 2\nget a\nge")
        one.send("t b\n")
        self.assertEqual([one.line() for _ in range(4)], ["ok", "ok", "value 1", "value 2"])

    def test_a_value_goes_after_its_seconds(self):
        one = self.client()
        one.ask("set brief 1 x")
        while one.ask("count") != "0":
            self.assertIn(one.ask("get brief"), ("value x", "none"))
        self.assertEqual(one.ask("get brief"), "none")

    def test_a_line_without_end_costs_the_connection_only(self):
        one = self.client()
        one.send("x" * 5000)
        self.assertEqual(one.line(), "")
        self.assertEqual(self.client().ask("count"), "0")

    def test_a_client_that_does_not_read_is_held_back_and_loses_nothing(self):
        one = self.client()
        one.ask("set big 60 " + "y" * 4000)
        questions = 4000
        reader = self.client()
        reader.send("get big\n" * questions + "quit\n")
        self.assertEqual(one.ask("count"), "1")
        for _ in range(questions):
            self.assertEqual(len(reader.line()), 4006)
        self.assertEqual(reader.line(), "bye")

    def test_many_clients_and_then_a_signal(self):
        clients = [self.client() for _ in range(100)]
        for number, one in enumerate(clients):
            self.assertEqual(one.ask(f"set key{number} 60 {number}"), "ok")
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(timeout=SECONDS_MAX), 0)
        for one in clients:
            self.assertEqual(one.line(), "")

    def test_a_signal_without_clients_ends_it_at_once(self):
        self.daemon.send_signal(signal.SIGINT)
        self.assertEqual(self.daemon.wait(timeout=SECONDS_MAX), 0)


class Package(unittest.TestCase):
    def test_a_component_brings_what_it_needs(self):
        more = ("foreach(name locking alloc)\nif(NOT TARGET tern::${name})\n"
                "message(FATAL_ERROR ${name})\nendif()\nendforeach()\n"
                "if(TARGET tern::loops)\nmessage(FATAL_ERROR loops)\nendif()")
        _, done = look("component", "0.1 REQUIRED COMPONENTS alloc", more)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_without_components_all_come(self):
        _, done = look("all", "REQUIRED", "get_target_property(x tern::loops TYPE)")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_an_unknown_component_is_named(self):
        _, done = look("unknown", "COMPONENTS paint")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("component paint", done.stdout)

    def test_another_minor_version_is_refused(self):
        for version in ("0.0", "0.2", "1.0"):
            _, done = look("version", version)
            self.assertNotEqual(done.returncode, 0, version)

    def test_no_path_of_the_build_is_in_the_package(self):
        for folder, _, names in os.walk(os.path.join(PREFIX, "lib", "cmake")):
            for name in names:
                self.assertNotIn(SOURCE, read(folder, name), name)

    def test_all_headers_compile_and_can_be_derived_from_with_rtti(self):
        include = os.path.join(PREFIX, "include", "tern")
        headers = sorted(os.path.relpath(os.path.join(folder, name), include)
                         for folder, _, names in os.walk(include) for name in names)
        self.assertGreater(len(headers), 50)
        self.assertFalse([name for name in headers if "test" in name])
        source = "".join(f'#include "{name}"\n' for name in headers)
        more = ("add_executable(look main.cc)\ntarget_link_libraries(look PRIVATE tern::loops)\n"
                "target_compile_options(look PRIVATE -Wall -Wextra -Wpedantic -Werror)")
        folder, done = look("headers", "REQUIRED", more,
                            source + read(SOURCE, "stress/package/derived.inc"))
        self.assertEqual(done.returncode, 0, done.stdout)
        run("cmake", "--build", os.path.join(folder, "build"))
        run(os.path.join(folder, "build", "look"))


if __name__ == "__main__":
    unittest.main()
