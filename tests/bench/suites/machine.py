"""What a figure was measured on."""
import datetime
import os
import platform


def _first(path, key):
    try:
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                if line.startswith(key):
                    return line.split(':' if ':' in line else '=', 1)[1].strip().strip('"')
    except OSError:
        pass
    return None


BUSY = 0.25  # of the cores, on average over a minute


def warning(description):
    """What to tell if other programs disturb the figures, or ''."""
    load, cores = description['load_before'][0], description['cores']
    if load <= BUSY * cores:
        return ''
    return f'the machine is busy: load {load:.2f} on {cores} cores; figures will be off'


def describe(versions):
    """`versions`: of the libraries on both sides, by name; None for what is not there."""
    memory_kib = _first('/proc/meminfo', 'MemTotal')
    return {
        'cpu': _first('/proc/cpuinfo', 'model name') or platform.machine(),
        'cores': len(os.sched_getaffinity(0)),
        'memory_bytes': int(memory_kib.split()[0]) * 1024 if memory_kib else None,
        'os': _first('/etc/os-release', 'PRETTY_NAME') or platform.platform(),
        'kernel': platform.release(),
        'libraries': versions,
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
        'load_before': list(os.getloadavg()),
    }
