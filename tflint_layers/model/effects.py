"""What calling a library function does to the process besides returning a value, as data."""

from __future__ import annotations

import enum
from functools import cache


class Effect(enum.Enum):
    """What calling a function does besides returning a value."""

    PRINT = "print"
    WARN = "warn"
    RUN_EAGERLY = "run-eagerly"
    HOST_IO = "host-io"  # files, processes, sockets, windows, sleeping
    NEW_VALUE = "new-value"  # another value at each run: random numbers, clocks, the environment
    DEBUG = "debug"  # stops in a debugger
    SETTING = "setting"  # changes a setting of the whole process
    V1_GRAPH = "v1-graph"  # works only where a program builds a graph and runs it in a session, as in TensorFlow 1


_LOG_METHODS = ("debug", "info", "warning", "warn", "error", "critical", "exception", "log", "fatal")
_LOGGERS = (
    "logging",
    "logging.Logger",
    "logging.LoggerAdapter",
    "absl.logging",
    "loguru.logger",
    "structlog.BoundLogger",
    "tensorflow.compat.v1.logging",
    "tensorflow.logging",
)


def _members(module: str, names: str) -> list[str]:
    return [f"{module}.{name}" for name in names.split()]


_EFFECTS: dict[str, Effect] = {
    **{f"{logger}.{method}": Effect.PRINT for logger in _LOGGERS for method in _LOG_METHODS},
    **dict.fromkeys(
        (
            "builtins.print",
            *_members("pprint", "pprint pp PrettyPrinter.pprint"),
            *_members("rich", "print print_json inspect pretty.pprint console.Console.print console.Console.log"),
            *_members("sys", "stdout.write stderr.write stdout.writelines __stdout__.write __stderr__.write"),
            *_members("tqdm", "tqdm trange tqdm.write auto.tqdm auto.trange notebook.tqdm notebook.trange"),
            *_members("tqdm", "tqdm_notebook autonotebook.tqdm std.tqdm rich.tqdm"),
            *_members("absl.logging", "vlog log_every_n log_every_n_seconds log_if"),
            *_members("traceback", "print_exc print_stack print_last print_exception print_tb"),
            *_members("click", "echo secho echo_via_pager"),
            "icecream.ic",
            "IPython.display.display",
            "termcolor.cprint",
            "builtins.input",
        ),
        Effect.PRINT,
    ),
    "warnings.warn": Effect.WARN,
    **dict.fromkeys(
        (
            "tensorflow.config.run_functions_eagerly",
            "tensorflow.config.experimental_run_functions_eagerly",
            "tensorflow.compat.v1.enable_eager_execution",
            "tensorflow.compat.v1.disable_eager_execution",
            "tensorflow.enable_eager_execution",
            "tensorflow.data.experimental.enable_debug_mode",
        ),
        Effect.RUN_EAGERLY,
    ),
    **dict.fromkeys(
        (
            "builtins.open",
            "io.open",
            "codecs.open",
            "gzip.open",
            "time.sleep",
            "json.dump",
            "json.load",
            "pickle.dump",
            "pickle.load",
            "joblib.dump",
            "joblib.load",
            "yaml.dump",
            "PIL.Image.open",
            *_members("csv", "writer.writerow writer.writerows DictWriter.writerow DictWriter.writerows"),
            *_members("queue", "Queue.put Queue.put_nowait SimpleQueue.put LifoQueue.put PriorityQueue.put"),
            "threading.Thread.start",
            "tensorflow.saved_model.save",
            "keras.utils.plot_model",
            "keras.utils.save_img",
            "keras.utils.load_img",
            *_members("os", "makedirs mkdir remove unlink rename replace rmdir removedirs listdir scandir walk"),
            *_members("os", "system popen startfile chdir truncate symlink"),
            *_members("pathlib.Path", "write_text write_bytes read_text read_bytes open mkdir touch unlink rmdir"),
            *_members("pathlib.Path", "rename replace iterdir glob rglob"),
            *_members("cv2", "imwrite imread imshow waitKey destroyAllWindows namedWindow VideoWriter VideoCapture"),
            *_members("numpy", "save savez savez_compressed savetxt load loadtxt genfromtxt fromfile"),
            *_members("pandas", "read_csv read_json read_parquet read_pickle read_excel"),
            *_members("pandas.DataFrame", "to_csv to_json to_parquet to_pickle to_excel to_sql to_hdf"),
            *_members("tensorflow.compat.v1.gfile", "GFile Open Exists MakeDirs Remove ListDirectory"),
        ),
        Effect.HOST_IO,
    ),
    **dict.fromkeys(
        (
            *_members("time", "time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time"),
            *_members("time", "process_time_ns thread_time localtime gmtime ctime asctime strftime"),
            *_members("datetime.datetime", "now utcnow today"),
            "datetime.date.today",
            *_members("uuid", "uuid1 uuid4"),
            *_members("os", "getenv urandom environ.get getrandom"),
        ),
        Effect.NEW_VALUE,
    ),
    **dict.fromkeys(
        (
            "builtins.breakpoint",
            "IPython.embed",
            "IPython.terminal.embed.embed",
            "IPython.core.debugger.set_trace",
            "code.interact",
            "debugpy.breakpoint",
            "pydevd.settrace",
            *(f"{debugger}.set_trace" for debugger in ("pdb", "ipdb", "pudb", "wdb", "rpdb", "web_pdb", "celery.rdb")),
            "pdb.Pdb.set_trace",
            "pdb.post_mortem",
            "sys.breakpointhook",
        ),
        Effect.DEBUG,
    ),
}
_MODULES: dict[str, Effect] = {
    **dict.fromkeys(
        (
            "matplotlib.pyplot",
            "pylab",
            "seaborn",
            "requests",
            "httpx",
            "urllib.request",
            "http.client",
            "socket",
            "smtplib",
            "subprocess",
            "shutil",
            "tempfile",
            "imageio",
            "skimage.io",
            "scipy.io",
            "h5py",
            "shelve",
            "sqlite3",
            "wandb",
            "mlflow",
            "io.TextIOWrapper",
            "tensorflow.io.gfile",
            "tensorflow.gfile",
            "tensorflow.python_io",
        ),
        Effect.HOST_IO,
    ),
    **dict.fromkeys(("random", "numpy.random", "secrets"), Effect.NEW_VALUE),
}
# What these modules have besides: seeding, objects that draw numbers only later, look-ups.
_WITHOUT = (
    "seed get_state set_state getstate setstate set_bit_generator get_bit_generator default_rng RandomState Generator "
    "Random SystemRandom SeedSequence BitGenerator PCG64 PCG64DXSM MT19937 Philox SFC64 spawn jumped get_cmap rcParams "
    "compare_digest which gettempdir get_backend"
)
_HARMLESS = frozenset(_WITHOUT.split())

_EFFECTS.update(
    dict.fromkeys(
        (
            *_members("keras.backend", "set_floatx set_epsilon set_image_data_format set_learning_phase clear_session"),
            *_members("keras.backend", "manual_variable_initialization set_session"),
            *_members("keras.config", "set_floatx set_epsilon set_image_data_format set_dtype_policy set_backend"),
            *_members("keras.config", "enable_unsafe_deserialization disable_interactive_logging"),
            *_members("keras.config", "enable_interactive_logging disable_traceback_filtering enable_flash_attention"),
            *_members("keras.config", "disable_flash_attention enable_traceback_filtering"),
            *_members("keras.utils", "set_random_seed clear_session"),
            *_members("keras.mixed_precision", "set_global_policy set_dtype_policy experimental.set_policy"),
            *_members("tensorflow.random", "set_seed set_global_generator"),
            *_members("tensorflow.compat.v1", "set_random_seed random.set_random_seed"),
            *_members(
                "tensorflow.config", "set_soft_device_placement set_visible_devices set_logical_device_configuration"
            ),
            *_members("tensorflow.config", "optimizer.set_jit optimizer.set_experimental_options"),
            *_members(
                "tensorflow.config.threading", "set_inter_op_parallelism_threads set_intra_op_parallelism_threads"
            ),
            *_members(
                "tensorflow.config.experimental", "set_memory_growth enable_op_determinism set_synchronous_execution"
            ),
            *_members("tensorflow.config.experimental", "enable_tensor_float_32_execution set_device_policy"),
            "tensorflow.config.experimental_connect_to_host",
            *_members("tensorflow.debugging", "enable_check_numerics set_log_device_placement disable_check_numerics"),
            "tensorflow.experimental.numpy.experimental_enable_numpy_behavior",
            *_members("numpy", "seterr seterrcall setbufsize set_printoptions random.seed random.set_state"),
            *_members("random", "seed setstate"),
            *_members("logging", "basicConfig disable"),
            *_members("sys", "setrecursionlimit settrace"),
            *_members("os", "putenv unsetenv umask"),
            "locale.setlocale",
        ),
        Effect.SETTING,
    )
)

_EFFECTS.update(
    dict.fromkeys(
        (
            *_members("tensorflow.compat.v1", "placeholder sparse_placeholder global_variables_initializer"),
            *_members("tensorflow.compat.v1", "local_variables_initializer tables_initializer variables_initializer"),
            *_members("tensorflow.compat.v1", "initialize_all_variables reset_default_graph train.Saver"),
            *_members("tensorflow.compat.v1.Session", "run partial_run make_callable"),
            *_members("tensorflow", "placeholder sparse_placeholder global_variables_initializer"),
            *_members("tensorflow", "local_variables_initializer tables_initializer reset_default_graph train.Saver"),
        ),
        Effect.V1_GRAPH,
    )
)


@cache
def effect(dotted: str) -> Effect | None:
    """What a call of the library function does besides returning a value."""
    found = _EFFECTS.get(dotted)
    if found is not None or dotted.rpartition(".")[2] in _HARMLESS:
        return found
    if dotted.startswith("scipy.stats.") and dotted.endswith(".rvs"):
        return Effect.NEW_VALUE
    module = dotted.rpartition(".")[0]
    while module:
        if module in _MODULES:
            return _MODULES[module]
        module = module.rpartition(".")[0]
    return None
