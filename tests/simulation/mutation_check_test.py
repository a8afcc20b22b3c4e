#!/usr/bin/env python3
"""Tests of mutation_check.py on a small tree whose build and test are shell scripts."""
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutation_check  # noqa: E402

SOURCE = 'the answer is right\n# a remark\n'
FAULTS = [('of-the-answer', 'core/a.cc', 'right', 'wrong'),
          ('of-the-remark', 'core/a.cc', 'remark', 'word')]
# Writes down what the original has while the copy is built; a program is a look at the copy.
BUILD = '''#!/bin/sh
set -e
cd "$(dirname "$0")/.."
cat "$ORIGINAL/core/a.cc" >>"$ORIGINAL/../seen"
if grep -q broken core/a.cc; then exit 1; fi
mkdir -p build/release/tests/unit
printf '#!/bin/sh\\ngrep -q right %s/core/a.cc\\n' "$PWD" >build/release/tests/unit/"$2"
chmod +x build/release/tests/unit/"$2"
'''


class MutationCheckTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = os.path.join(scratch.name, 'root')
        self.folder = os.path.join(self.root, 'build', 'mutations')
        self.copied = os.path.join(self.folder, 'tree', 'core', 'a.cc')
        os.environ['ORIGINAL'] = self.root
        self.write('core/a.cc', SOURCE)
        self.write('core/b.cc', 'another\n')
        self.write('scripts/build.sh', BUILD)
        self.write('.gitignore', '/build/\n')
        os.chmod(os.path.join(self.root, 'scripts', 'build.sh'), 0o755)
        subprocess.run(['git', 'init', '-q', self.root], check=True)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    @staticmethod
    def read(*path):
        with open(os.path.join(*path), encoding='utf-8') as file:
            return file.read()

    def check(self, faults=None):
        """Names that are missed, and what is printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            missed = mutation_check.check(self.root, self.folder, faults or FAULTS, ['core_test'])
        return missed, printed.getvalue()

    def test_says_which_faults_are_found(self):
        missed, printed = self.check()
        self.assertEqual(missed, ['of-the-remark'])
        self.assertEqual(printed, 'of-the-answer: found by core_test\nof-the-remark: NOT FOUND\n'
                                  '1 of 2 found\n')

    def test_the_sources_have_no_fault_at_any_time(self):
        self.check()
        self.assertEqual(self.read(self.root, os.pardir, 'seen'), 3 * SOURCE)
        self.assertEqual(self.read(self.root, 'core', 'a.cc'), SOURCE)
        self.assertFalse(os.path.exists(os.path.join(self.root, 'build', 'release')))

    def test_a_fault_that_a_killed_check_left_is_gone_in_the_next(self):
        self.check()
        with open(self.copied, 'w', encoding='utf-8') as file:
            file.write(SOURCE.replace('right', 'wrong'))
        self.assertEqual(self.check()[0], ['of-the-remark'])

    def test_the_copy_follows_the_tree_and_leaves_what_is_the_same(self):
        self.check()
        same = os.path.join(self.folder, 'tree', 'core', 'b.cc')
        os.utime(same, (1, 1))
        self.write('core/a.cc', 'also right, a remark\n')
        self.write('core/c.cc', 'new\n')
        self.check()
        self.assertEqual(self.read(self.copied), 'also right, a remark\n')
        self.assertEqual(self.read(self.folder, 'tree', 'core', 'c.cc'), 'new\n')
        self.assertEqual(os.stat(same).st_mtime, 1)
        os.remove(os.path.join(self.root, 'core', 'c.cc'))
        self.check()
        self.assertFalse(os.path.exists(os.path.join(self.folder, 'tree', 'core', 'c.cc')))
        self.assertTrue(os.path.exists(os.path.join(self.folder, 'tree', 'build', 'release')))

    def test_what_cannot_be_checked_ends_it(self):
        for line, told in (('right', 'does not compile; see .*build.log'),
                           ('left', 'x: the line is in core/a.cc 0 times')):
            with self.assertRaisesRegex(SystemExit, told):
                self.check([('x', 'core/a.cc', line, 'broken')])
        self.write('core/a.cc', 'wrong\n')
        with self.assertRaisesRegex(SystemExit, 'without a fault these fail already: core_test'):
            self.check()

    def test_two_at_once_do_not_share_a_copy(self):
        copy = mutation_check.Copy(self.root, self.folder, ['core_test'])
        with copy.lock, self.assertRaisesRegex(SystemExit, 'another one works in'):
            self.check()


class FaultsTest(unittest.TestCase):
    """Of the tree that this test is of."""

    def test_each_line_is_there_once(self):
        for name, path, line, instead in mutation_check.FAULTS:
            text = MutationCheckTest.read(mutation_check.ROOT, path)
            self.assertEqual(text.count(line), 1, f'{name}: {path}')
            self.assertNotEqual(line, instead)

    def test_each_test_is_a_target(self):
        targets = set()
        for folder, _, files in os.walk(os.path.join(mutation_check.ROOT, 'tests')):
            if 'CMakeLists.txt' in files:
                targets |= set(re.findall(r'frontier_test\((\w+)',
                                          MutationCheckTest.read(folder, 'CMakeLists.txt')))
        self.assertLessEqual(set(mutation_check.TESTS), targets)


if __name__ == '__main__':
    unittest.main()
