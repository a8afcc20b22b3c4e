"""Where the figures come from: our programs and the peers'."""
import contextlib
import csv
import gzip
import os
import socket
import struct
import statistics
import subprocess
import tempfile
import time

from . import cluster, data, processes, rows, strategies

FASHION_MNIST = '/usr/share/datasets/fashion-mnist'
# The Debian package python3-torch is for Debian's own interpreter.
DEBIAN_PYTHON = '/usr/bin/python3'


def splits(cores):
    """Ways to share the cores: (number of processes, threads of each)."""
    return [(1, cores)] if cores == 1 else [(1, cores), (cores, 1)]


def split_name(split):
    return f'{split[0]}x{split[1]}'


class RealSource:
    """`folder` is for files made on the way; `node_modules` holds onnxruntime-node, if anything;
    `public` is the data folder."""

    def __init__(self, binaries, folder, node_modules, public):
        here = os.path.dirname(os.path.abspath(__file__))
        self.peers = os.path.join(os.path.dirname(here), 'peers')
        self.binaries = binaries
        self.bench = os.path.join(binaries, 'frontier-engine-bench')
        self.space_bench = os.path.join(binaries, 'frontier-space-bench')
        self.strategy_bench = os.path.join(binaries, 'frontier-strategy-bench')
        self.folder, self.public = folder, public
        self.node = {'NODE_PATH': node_modules} if node_modules else {}
        self.cores = sorted(os.sched_getaffinity(0))
        self.torch_version = self._version([DEBIAN_PYTHON, '-c',
                                            'import torch; print(torch.__version__)'])
        self.optuna_version = self._version([DEBIAN_PYTHON, '-c',
                                             'import optuna; print(optuna.__version__)'])
        self.ort_version = self._version(
            ['node', '-p', 'require("onnxruntime-node"); '
             'require("onnxruntime-node/package.json").version'])

    def _version(self, command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                                  env={**os.environ, **self.node}, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() or None if done.returncode == 0 else None

    def versions(self):
        try:
            engine = self._once('describe')['engine']
        except rows.NotMeasured:
            engine = None
        return {'engine': engine, 'torch': self.torch_version, 'onnxruntime': self.ort_version,
                'optuna': self.optuna_version}

    def need_torch(self):
        if self.torch_version is None:
            raise rows.NotMeasured('PyTorch is missing: install the Debian package python3-torch')

    def need_ort(self):
        if self.ort_version is None:
            raise rows.NotMeasured('ONNX Runtime is missing: install node and, by npm install '
                                   '--ignore-scripts, onnxruntime-node')

    def file(self, *parts):
        return os.path.join(self.folder, '-'.join(parts))

    def core_sets(self, split):
        return [self.cores] if split[0] == 1 else [[core] for core in self.cores[:split[0]]]

    def _bench(self, command, **flags):
        return [self.bench, command, *(f'--{name}={value}' for name, value in flags.items())]

    def _once(self, command, cores=None, **flags):
        return processes.once(self._bench(command, **flags), cores or self.cores[:1])

    def proposals(self, space, shape):
        """A side that proposes architectures of a SearchSpace in text format."""
        return processes.Side([self.space_bench, space, shape, '10'], [self.cores[:1]])

    def strategy_search(self, table, strategy, **flags):
        """Searches of a table of NAS-Bench-201 in simulated time; see tests/bench/strategies."""
        table = data.table(self.public, table)
        named = [f'--{name}' if value is None else f'--{name}={value}'
                 for name, value in flags.items()]
        return processes.once(
            [self.strategy_bench, f'--table={table}', '--space=nasbench201 {}', '--key=edge_ops',
             f'--strategy={strategy}', f'--threads={len(self.cores)}', *named], self.cores)

    def strategy_proposals(self, strategy, history, count):
        """Seconds of each of `count` proposals of two objectives after so many trials."""
        return processes.once(
            [self.strategy_bench, '--space=mobile {}', '--shape=3,224,224', '--classes=1000',
             '--objectives=a,b', f'--strategy={strategy}', f'--history={history}',
             f'--proposals={count}'], self.cores[:1])

    def need_optuna(self):
        if self.optuna_version is None:
            raise rows.NotMeasured('Optuna is missing: install the Debian package python3-optuna')

    def optuna_search(self, table, sampler, **flags):
        table = data.table(self.public, table)
        self.need_optuna()
        return processes.once(
            [DEBIAN_PYTHON, os.path.join(self.peers, 'optuna_search.py'), f'--table={table}',
             f'--sampler={sampler}', *(f'--{name}={value}' for name, value in flags.items())],
            self.cores[:1])

    def no_op_trials(self, job, workers, seconds):
        """What a fresh coordinator gets done with workers that train nothing."""
        with cluster.coordinator(self.binaries, self.folder) as (_, address):
            cluster.submit(self.binaries, address, job)
            return self._coordinator_bench('load', coordinator=address, workers=workers,
                                           seconds=seconds)

    def _coordinator_bench(self, command, **flags):
        return processes.once(
            [os.path.join(self.binaries, 'frontier-coordinator-bench'), command,
             *(f'--{name}={value}' for name, value in flags.items())], self.cores)

    @contextlib.contextmanager
    def filled(self, job, trials):
        """A folder of a coordinator that has stopped, with a job of so many trials."""
        with cluster.run_folder(self.folder) as run:
            process, address = cluster.start_coordinator(self.binaries, run)
            cluster.submit(self.binaries, address, job)
            self._coordinator_bench('load', coordinator=address, workers=1, seconds=0.5)
            process.terminate()
            process.wait()
            self._coordinator_bench('fill', data_dir=cluster.data_folder(run), trials=trials)
            yield run

    def trials_on(self, run, workers, seconds):
        """What a coordinator on such a folder gets done."""
        process, address = cluster.start_coordinator(self.binaries, run)
        answer = self._coordinator_bench('load', coordinator=address, workers=workers,
                                         seconds=seconds)
        process.terminate()
        process.wait()
        return answer

    def queries_on(self, run, rounds):
        process, address = cluster.start_coordinator(self.binaries, run)
        answer = self._coordinator_bench('queries', coordinator=address, rounds=rounds)
        process.terminate()
        process.wait()
        return answer

    def restart_on(self, run):
        """Seconds from the start of a coordinator on such a folder to its first lease."""
        began = time.time()
        process, address = cluster.start_coordinator(self.binaries, run, self.free_address(),
                                                     wait=False)
        answer = self._coordinator_bench('first_lease', coordinator=address, since=f'{began:.6f}')
        process.terminate()
        process.wait()
        return answer['seconds']

    @staticmethod
    def free_address():
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', 0))
            return f'127.0.0.1:{listener.getsockname()[1]}'

    def swarm(self, job, workers, trial_seconds, seconds):
        """What so many workers ask of a coordinator, and what it needs for that."""
        with cluster.run_folder(self.folder) as run:
            process, address = cluster.start_coordinator(self.binaries, run)
            cluster.submit(self.binaries, address, job)
            return self._coordinator_bench(
                'swarm', coordinator=address, workers=workers, coordinator_pid=process.pid,
                trial_seconds=trial_seconds, seconds=seconds)

    def restart_under_load(self, job, workers, seconds):
        """Milliseconds in which no trial ended, of a coordinator that is killed under load."""
        with cluster.run_folder(self.folder) as run:
            process, address = cluster.start_coordinator(self.binaries, run)
            cluster.submit(self.binaries, address, job)
            load = processes.Side(
                [os.path.join(self.binaries, 'frontier-coordinator-bench'), 'load',
                 f'--coordinator={address}', f'--workers={workers}', f'--seconds={seconds}'],
                [self.cores])
            with load:
                time.sleep(seconds / 2)
                cluster.kill(process)
                again, _ = cluster.start_coordinator(self.binaries, run, address, wait=False)
                answer = load.end()[0]
                if again.poll() is not None:
                    raise rows.NotMeasured('the coordinator did not start again')
                return answer['longest_gap_ms']

    def run_test(self, name, environment):
        """Whether a test program of this build passes, and what it prints."""
        program = os.path.join(os.path.dirname(self.binaries), 'tests', *name)
        if not os.path.exists(program):
            raise rows.NotMeasured(f'{program} is not built')
        done = subprocess.run([program, *environment.pop('arguments', [])], capture_output=True,
                              text=True, check=False, env={**os.environ, **environment})
        return done.returncode == 0, done.stdout + done.stderr

    def optuna_trials(self, count, seconds):
        """Trials a second of so many processes; None if Optuna is missing."""
        if self.optuna_version is None:
            return None
        answer = processes.once(
            [DEBIAN_PYTHON, os.path.join(self.peers, 'optuna_trials.py'), f'--processes={count}',
             f'--seconds={seconds}', f'--folder={self.folder}'], self.cores)
        return answer['trials'] / answer['seconds']

    def sync_ms(self):
        """Median of what this disk takes to keep 8 KiB."""
        taken = []
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            for _ in range(200):
                file.write(bytes(8192))
                file.flush()
                began = time.perf_counter()
                os.fdatasync(file.fileno())
                taken.append(1000 * (time.perf_counter() - began))
        return statistics.median(taken)

    def table_trials(self, job):
        """Trials of a search by the job file's text, answered from a table of NAS-Bench-201."""
        table = self.file('table.csv')
        with open(table, 'w', encoding='utf-8') as file:
            file.write('architecture,accuracy\n')
            for cell, accuracy in self.table_cells(strategies.TABLE, 'c10_valid_acc_12e'):
                file.write(f'{cell},{accuracy / 100}\n')
        return cluster.table_search(self.binaries, self.folder, table, 'cifar10=3x32x32/10',
                                    job)

    def refused_trials(self, job):
        """Trials of a search by the job file's text, on a worker whose data set is too small."""
        samples = self.file('tiny')
        os.makedirs(samples, exist_ok=True)
        for part, count in (('train', 96), ('t10k', 16)):
            with open(os.path.join(samples, f'{part}-images-idx3-ubyte'), 'wb') as file:
                file.write(struct.pack('>4I', 2051, count, 8, 8) + bytes(64 * count))
            with open(os.path.join(samples, f'{part}-labels-idx1-ubyte'), 'wb') as file:
                file.write(struct.pack('>2I', 2049, count) + bytes(i % 10 for i in range(count)))
        return cluster.unchecked_search(self.binaries, self.folder, {'tiny': samples}, job)

    def mutations(self):
        """Names of faults that the tests find, and of those that they do not."""
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), *3 * [os.pardir])
        done = subprocess.run([os.path.join(root, 'tests', 'simulation', 'mutation_check.py')],
                              capture_output=True, text=True, check=False)
        answers = [line.split(': ', 1) for line in done.stdout.splitlines() if ': ' in line]
        if not answers:
            raise rows.NotMeasured(done.stderr.strip() or 'mutation_check.py says nothing')
        missed = [name for name, answer in answers if answer == 'NOT FOUND']
        if done.returncode != 0 and not missed:
            raise rows.NotMeasured(done.stderr.strip() or f'exit code {done.returncode}')
        return [name for name, _ in answers if name not in missed], missed

    def table_cells(self, table, column):
        with gzip.open(data.table(self.public, table), 'rt', encoding='utf-8') as file:
            return [(row['arch_str'], float(row[column])) for row in csv.DictReader(file)]

    def table_points(self, table, *columns):
        """Figures of all rows of a table."""
        with gzip.open(data.table(self.public, table), 'rt', encoding='utf-8') as file:
            return [tuple(float(row[column]) for column in columns)
                    for row in csv.DictReader(file)]

    def search(self, data_set, job):
        """Trials of a search by the job file's text, on workers of one thread for each core."""
        name = data_set.name
        samples = data.samples(self.public, name, data_set.folder or name)
        return cluster.search(self.binaries, self.folder, {name: samples}, self.cores, job)

    # Sides that train.

    def ours_train(self, network, shape, precision, split):
        command = self._bench('train', network=network, input=shape, precision=precision,
                              threads=split[1],
                              picks=self.file('picks', network, shape, precision, str(split[1])))
        return processes.Side(command, self.core_sets(split))

    def torch_train(self, network, shape, precision, layout, split):
        self.need_torch()
        channels, size, _ = shape.split('x')
        command = [DEBIAN_PYTHON, os.path.join(self.peers, 'torch_train.py'), '--network', network,
                   '--size', size, '--channels', channels, '--precision', precision,
                   '--layout', layout, '--threads', str(split[1])]
        return processes.Side(command, self.core_sets(split), {'OMP_NUM_THREADS': str(split[1])})

    # Sides that answer one image a call, on one core.

    def model(self, network, shape):
        """A model file and the same as ONNX; made once."""
        stem = self.file('model', os.path.basename(network), shape)
        model, onnx = stem + '.pb', stem + '.onnx'
        if not os.path.exists(onnx):
            self._once('export', network=network, input=shape, model=model, onnx=onnx)
        return model, onnx

    def nearly_empty(self, shape):
        """An architecture file of a pool and a linear layer: what a call costs by itself."""
        path = self.file('nearly-empty', shape)
        if not os.path.exists(path):
            channels, height, width = shape.split('x')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(f'input {{ channels: {channels} height: {height} width: {width} }}\n'
                           'classes: 10\n'
                           'nodes { name: "input" op: OPERATOR_INPUT }\n'
                           'nodes { name: "pool" op: OPERATOR_GLOBAL_AVERAGE_POOL inputs: 0 }\n'
                           'nodes { name: "classifier" op: OPERATOR_LINEAR inputs: 1 '
                           'linear { out_features: 10 bias: true } }\n')
        return path

    def ours_latency(self, network, shape, precision):
        model, _ = self.model(network, shape)
        command = self._bench('latency', model=model, precision=precision)
        return processes.Side(command, [self.cores[:1]])

    def ort_latency(self, network, shape, profile):
        self.need_ort()
        _, onnx = self.model(network, shape)
        command = ['node', os.path.join(self.peers, 'onnx_runtime_latency.js'),
                   *(['--profile'] if profile else []), onnx, *shape.split('x')]
        return processes.Side(command, [self.cores[:1]], self.node)

    def torch_latency(self, network, shape, layout):
        self.need_torch()
        command = [DEBIAN_PYTHON, os.path.join(self.peers, 'torch_latency.py'), '--network',
                   network, '--input', shape, '--layout', layout]
        return processes.Side(command, [self.cores[:1]], {'OMP_NUM_THREADS': '1'})

    # Figures of ours alone.

    def start(self, network, shape):
        """One fresh process; picks are kept from one call to the next."""
        return self._once('start', network=network, input=shape, precision='auto', threads=1,
                          picks=self.file('picks', network, shape, 'auto', '1'))

    def floor(self, network, shape, precision, split):
        """Images a second of all processes together, at the same time."""
        command = self._bench('floor', network=network, input=shape, precision=precision,
                              threads=split[1])
        with processes.Side(command, self.core_sets(split)) as side:
            return sum(answer['images_per_second'] for answer in side.end())

    def prepared(self, shape):
        """Images a second that one thread prepares for training, with all augmentation."""
        return self._once('batches', input=shape)['images_per_second']

    def macs(self, network, shape):
        """Multiply-accumulates of the forward pass of one image."""
        answer = self._once('macs', network=network, input=shape)
        return answer['macs']

    def trained_accuracy(self, network, training_images):
        """Trains on Fashion-MNIST for an epoch; the path of the model file."""
        self._need_data()
        model = self.file('trained', network) + '.pb'
        if not os.path.exists(model):
            self._once('accuracy', self.cores, network=network, precision='auto', epochs=1,
                       dataset=FASHION_MNIST, training_images=training_images, model=model,
                       threads=len(self.cores))
        return model

    def test_accuracy(self, model, precision):
        return self._once('evaluate', model=model, precision=precision,
                          dataset=FASHION_MNIST)['test_accuracy']

    # Test accuracy after training on Fashion-MNIST.

    def ours_accuracy(self, network, precision, seed, epochs, training_images):
        self._need_data()
        return self._once('accuracy', self.cores, network=network, precision=precision, seed=seed,
                          epochs=epochs, training_images=training_images, dataset=FASHION_MNIST,
                          threads=len(self.cores))['test_accuracy']

    def torch_accuracy(self, network, seed, epochs, training_images):
        self._need_data()
        self.need_torch()
        command = [DEBIAN_PYTHON, os.path.join(self.peers, 'torch_accuracy.py'), '--network',
                   network, '--seed', str(seed), '--epochs', str(epochs), '--training_images',
                   str(training_images), '--dataset', FASHION_MNIST, '--threads',
                   str(len(self.cores))]
        return processes.once(command, self.cores)['test_accuracy']

    @staticmethod
    def _need_data():
        if not os.path.isdir(FASHION_MNIST):
            raise rows.NotMeasured('the Debian package dataset-fashion-mnist is missing')

    def inference_precisions(self):
        """By precision of inference: None if this build on this CPU has it, or why not."""
        answers = {}
        for precision in ('f32', 'bf16', 'int8'):
            try:
                with self.ours_latency('squeezenet-like', '1x28x28', precision) as side:
                    side.end()
                answers[precision] = None
            except rows.NotMeasured as reason:
                answers[precision] = str(reason)
        return answers
