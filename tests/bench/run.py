#!/usr/bin/python3
"""Measures a suite and prints its table; called by scripts/bench.sh, which builds and installs."""
import argparse
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from suites import (accuracy, auto, cluster, coordinator, data, engine, machine,  # noqa: E402
                    processes, rows, sources, space, strategies)


def engine_rows(source, args, say):
    settings = engine.Settings.quick() if args.quick else engine.Settings()
    return engine.definitions(engine.Measurements(source, settings, say))


def accuracy_rows(source, args, say):
    settings = accuracy.Settings(
        networks=tuple(args.networks), precisions=tuple(args.precisions), seeds=args.seeds,
        epochs=args.epochs, training_images=args.training_images, journal=args.journal)
    if args.quick:
        settings = accuracy.Settings(networks=('squeezenet-like',), seeds=2, epochs=1,
                                     training_images=2560)
    return accuracy.definitions(accuracy.Measurements(source, settings, say))


def space_rows(source, args, say):
    settings = space.Settings.quick() if args.quick else space.Settings()
    return space.definitions(space.Measurements(source, settings, say))


def auto_rows(source, args, say):
    settings = auto.Settings.quick() if args.quick else auto.Settings()
    return auto.definitions(auto.Measurements(source, settings, say))


def strategies_rows(source, args, say):
    settings = strategies.Settings.quick() if args.quick else strategies.Settings()
    return strategies.definitions(strategies.Measurements(source, settings, say))


def coordinator_rows(source, args, say):
    settings = coordinator.Settings.quick() if args.quick else coordinator.Settings()
    settings.schedules = int(os.environ.get('FRONTIER_SIMULATED_SCHEDULES', settings.schedules))
    settings.mutations = args.only == 'coordinator.mutations'
    return coordinator.definitions(coordinator.Measurements(source, settings, say))


# The exit code of --check_arguments that tells scripts/bench.sh to build and measure; what it is to
# build beside the suites' programs is then printed.
GO_ON = 10

SUITES = {'engine': engine_rows, 'accuracy': accuracy_rows, 'space': space_rows,
          'auto': auto_rows, 'strategies': strategies_rows,
          'coordinator': coordinator_rows}


def why_not_writable(path):
    """'' if a file can be written there; leaves none behind."""
    is_new = not os.path.lexists(path)
    try:
        with open(path, 'a', encoding='utf-8'):
            pass
        if is_new:
            os.remove(path)
    except OSError as error:
        return error.strerror
    return ''


def parse(arguments):
    parser = argparse.ArgumentParser(prog='scripts/bench.sh', description=__doc__)
    parser.add_argument('suite', metavar='SUITE', help=', '.join(SUITES))
    parser.add_argument('--json', metavar='FILE', help='also write the rows there')
    parser.add_argument('--only', metavar='PREFIX', default='',
                        help='measure the rows whose id begins so')
    parser.add_argument('--data', metavar='FOLDER', default=os.environ.get(data.VARIABLE, ''),
                        help='of public data sets and tables, which some rows need; by default '
                             f'{data.VARIABLE} or shared/data beside the checkout')
    parser.add_argument('--quick', action='store_true',
                        help='a few short rounds, to try the benchmark itself')
    parser.add_argument('--list', action='store_true', help='print the ids of the rows and stop')
    parser.add_argument('--check_arguments', action='store_true', help=argparse.SUPPRESS)
    parser.add_argument('--binaries', default='build/release/bin', help=argparse.SUPPRESS)
    parser.add_argument('--node_modules', default='', help=argparse.SUPPRESS)
    group = parser.add_argument_group('of the suite accuracy')
    group.add_argument('--networks', nargs='+', default=list(engine.NETWORKS),
                       choices=engine.NETWORKS)
    group.add_argument('--precisions', nargs='+', default=['f32', 'mixed'],
                       choices=['f32', 'mixed'])
    group.add_argument('--seeds', type=int, default=5)
    group.add_argument('--epochs', type=int, default=5)
    group.add_argument('--training_images', type=int, default=0, help='the first ones; 0 = all')
    group.add_argument('--journal', metavar='FILE', default='',
                       help='written after each training; what is in it is not trained again')
    args = parser.parse_args(arguments)
    if args.suite not in SUITES:
        parser.error(f'there is no suite {args.suite!r}; there are: ' + ', '.join(SUITES))
    for name in ('seeds', 'epochs'):
        if getattr(args, name) < 1:
            parser.error(f'--{name} {getattr(args, name)} is below 1')
    if args.training_images < 0:
        parser.error(f'--training_images {args.training_images} is below 0')
    if args.data and not os.path.isdir(args.data):
        parser.error(f'--data or {data.VARIABLE}: there is no folder {args.data}')
    args.data = os.path.abspath(args.data or data.BESIDE)
    # To be told now, and not after the measurement.
    if args.json and (reason := why_not_writable(args.json)):
        parser.error(f'--json {args.json}: {reason}')
    return args


def wanted(args, source, say):
    """Definitions of the rows to measure. Nothing is measured yet: `source` may be None."""
    definitions = SUITES[args.suite](source, args, say)
    rows.check_definitions(definitions)
    chosen = [d for d in definitions if d.id.startswith(args.only)]
    if not chosen:
        sys.exit(f'bench: no row begins with {args.only!r}; --list prints their ids')
    return chosen


def programs(definitions):
    """Test programs that these rows run."""
    return sorted({program for d in definitions for program in d.builds})


def main():
    args = parse(sys.argv[1:])
    if args.list:
        print('\n'.join(d.id for d in wanted(args, None, None)))
        return
    if args.check_arguments:
        print(' '.join(programs(wanted(args, None, None))))
        sys.exit(GO_ON)
    began = processes.now()

    def say(text):
        print(f'{processes.now() - began:6.0f} s  {text}', file=sys.stderr, flush=True)

    folder = tempfile.mkdtemp(prefix='frontier-bench-')
    try:
        source = sources.RealSource(os.path.abspath(args.binaries), folder, args.node_modules,
                                    args.data)
        where = machine.describe(source.versions())
        busy = machine.warning(where)
        if busy:
            say(busy)
        measured = [rows.measure(definition) for definition in wanted(args, source, say)]
        print(rows.table(measured))
        libraries = ', '.join(f'{name} {version or "missing"}'
                              for name, version in where['libraries'].items())
        print(f'\n{where["cpu"]}, {where["cores"]} cores, {where["os"]}; {libraries}; load before '
              f'{where["load_before"][0]:.2f}; took {processes.now() - began:.0f} s')
        if busy:
            print(f'Note: {busy}')
        if args.json:
            with open(args.json, 'w', encoding='utf-8') as file:
                file.write(rows.document(where, measured))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        processes.stop_all()
        cluster.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
