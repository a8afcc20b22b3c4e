#!/usr/bin/python3
"""No-op trials by ask and tell through Optuna on an SQLite file, with several processes at once.

Prints {"trials": N, "seconds": S}: what all processes told together between their common start and
the end of the last one.
"""
import argparse
import json
import multiprocessing
import os
import tempfile
import time

import optuna


def work(storage, number, seconds, start, told):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name='no-op', storage=storage,
                              sampler=optuna.samplers.RandomSampler(seed=number))
    start.wait()
    began = time.perf_counter()
    count = 0
    while time.perf_counter() - began < seconds:
        trial = study.ask()
        accuracy = trial.suggest_float('accuracy', 0, 1)
        trial.suggest_categorical('block', ['convolution', 'residual', 'fire'])
        trial.suggest_int('width', 8, 64)
        study.tell(trial, (accuracy, 1 - accuracy))
        count += 1
    told.put((count, time.perf_counter() - began))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--processes', type=int, required=True)
    parser.add_argument('--seconds', type=float, required=True)
    parser.add_argument('--folder', required=True, help='for the SQLite file')
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        storage = 'sqlite:///' + os.path.join(folder, 'optuna.db')
        optuna.create_study(study_name='no-op', storage=storage,
                            directions=['maximize', 'minimize'])
        start, told = multiprocessing.Barrier(args.processes), multiprocessing.Queue()
        sides = [multiprocessing.Process(target=work,
                                         args=(storage, number, args.seconds, start, told))
                 for number in range(args.processes)]
        for side in sides:
            side.start()
        answers = [told.get() for _ in sides]
        for side in sides:
            side.join()
    print(json.dumps({'trials': sum(count for count, _ in answers),
                      'seconds': max(seconds for _, seconds in answers)}))


if __name__ == '__main__':
    main()
