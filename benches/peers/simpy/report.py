"""What every peer program prints, on one line: counts that must agree, and what the loop alone cost."""

import time


class Loop:
    """Processor time of the loop, without the set-up."""

    def __enter__(self):
        self.before = time.process_time_ns()
        return self

    def __exit__(self, *_):
        self.cpu_ns = time.process_time_ns() - self.before


def report(loop, events, completions, **figures):
    fields = {"events": events, "completions": completions, "cpu_ns": loop.cpu_ns, **figures}
    print(" ".join(f"{name}={value}" for name, value in fields.items()))
