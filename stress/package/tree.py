"""Where the sources and the build under test are, and how to run CMake as that build does."""

import os
import subprocess

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["TERN_BUILD"]
SCRATCH = os.path.join(BUILD, "package")


def run(*command):
    """Runs the command; a failure shows all it said."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def try_configure(source, build, *options):
    """Exit status and output of a configure step with the compiler and flags of our build."""
    return subprocess.run(
        ["cmake", "-S", source, "-B", build, "-G", "Ninja",
         f"-DCMAKE_CXX_COMPILER={os.environ['TERN_CXX']}", "-DCMAKE_BUILD_TYPE=Release",
         f"-DCMAKE_CXX_FLAGS_RELEASE={os.environ['TERN_CXX_FLAGS']}", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def configure(source, build, *options):
    done = try_configure(source, build, *options)
    if done.returncode != 0:
        raise AssertionError(done.stdout)
    return done.stdout


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def write(text, *path):
    os.makedirs(os.path.join(*path[:-1]), exist_ok=True)
    with open(os.path.join(*path), "w", encoding="utf-8") as file:
        file.write(text)
