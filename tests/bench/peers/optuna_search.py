#!/usr/bin/python3
"""What Optuna finds on NAS-Bench-201's table for accuracy and latency, and how long it thinks.

Prints {"found": [[[accuracy, latency], ..] by seed], "seconds": [..]}: the objectives of the trials
of each seed in their order, and the processor seconds of each proposal (ask, and the values of all
parameters), all seeds together. Storage is in memory, Optuna's fastest.
"""
import argparse
import csv
import gzip
import json
import time

import optuna

OPERATIONS = 5
EDGES = 6


def sampler(name, seed):
    return {'random': optuna.samplers.RandomSampler,
            'tpe': optuna.samplers.TPESampler,
            'nsga2': optuna.samplers.NSGAIISampler}[name](seed=seed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--table', required=True)
    parser.add_argument('--sampler', required=True, choices=['random', 'tpe', 'nsga2'])
    parser.add_argument('--accuracy', required=True, help='column')
    parser.add_argument('--latency', required=True, help='column')
    parser.add_argument('--trials', type=int, required=True)
    parser.add_argument('--seeds', type=int, required=True)
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with gzip.open(args.table, 'rt') as file:
        table = {row['edge_ops']: (float(row[args.accuracy]), float(row[args.latency]))
                 for row in csv.DictReader(file)}
    found, seconds = [], []
    for seed in range(1, args.seeds + 1):
        study = optuna.create_study(directions=['maximize', 'minimize'],
                                    sampler=sampler(args.sampler, seed))
        found.append([])
        for _ in range(args.trials):
            begin = time.process_time()
            trial = study.ask()
            # Categories, as the operations of a cell have no order.
            cell = ''.join(str(trial.suggest_categorical(f'edge{edge}', list(range(OPERATIONS))))
                           for edge in range(EDGES))
            seconds.append(time.process_time() - begin)
            study.tell(trial, table[cell])
            found[-1].append(table[cell])
    print(json.dumps({'found': found, 'seconds': seconds}))


if __name__ == '__main__':
    main()
