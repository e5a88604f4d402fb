"""What a mutation is, and which shared objects may change.

The linter and the guard at run time both go by it. Types and functions have their public dotted
names, by the module that users import them from: `pandas.DataFrame`.

Source: the documentation of Python's built-in types, NumPy, pandas, Polars, Plotly, scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GLOBAL_REBOUND: Final = "DS101"
NONLOCAL_REBOUND: Final = "DS102"
AUGMENTED: Final = "DS103"
ITEM_ASSIGNED: Final = "DS104"
ATTRIBUTE_ASSIGNED: Final = "DS105"
MUTATING_CALL: Final = "DS106"
MUTABLE_DEFAULT: Final = "DS108"
"""The codes of the rules against the mutations that both the linter and the guard recognise."""


@dataclass(frozen=True)
class Family:
    """A family of types that are mutated in the same ways."""

    name: str
    types: frozenset[str]
    """The public names of the types, and of the functions that return new objects of them."""
    methods: frozenset[str]
    """The methods that change the object they are called on."""
    augments: bool = True
    """Whether `x += y` changes x itself."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _under(module: str, names: str) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for name in names.split())


_FRAME_READERS: Final = """
    DataFrame concat crosstab get_dummies json_normalize melt merge merge_asof merge_ordered
    pivot pivot_table     read_clipboard read_csv read_excel read_feather read_fwf read_gbq
    read_hdf read_json read_orc read_parquet read_pickle read_sas     read_spss read_sql
    read_sql_query read_sql_table read_stata read_table read_xml
"""
_POLARS_READERS: Final = """
    DataFrame concat from_arrow from_dict from_dicts from_pandas read_avro read_csv
    read_database read_delta     read_excel read_ipc read_json read_ndjson read_parquet
"""
_ARRAY_MAKERS: Final = """
    arange array copy empty empty_like eye full full_like genfromtxt geomspace hstack identity
    linspace load loadtxt     logspace memmap ndarray ones ones_like vstack zeros zeros_like
    stack concatenate random.rand random.randn random.random     random.randint random.normal
    random.uniform random.choice random.permutation random.poisson random.binomial
    random.exponential     random.standard_normal bartlett blackman hamming hanning kaiser abs
    clip cos cumprod cumsum diff dot exp flip isin isnan log log10     matmul maximum minimum
    outer pad repeat roll sin sort sqrt tile tri triu tril unique where interp gradient
    histogram2d fromiter     frombuffer fromfunction fromstring column_stack dstack append
    delete insert
"""

FAMILIES: Final = (
    Family(
        "list",
        _words("builtins.list builtins.sorted array.array collections.UserList"),
        _words(
            "append extend insert remove pop clear sort reverse fromlist frombytes byteswap "
            "__setitem__ __delitem__ __iadd__"
        ),
    ),
    Family(
        "dict",
        _words(
            "builtins.dict collections.OrderedDict collections.defaultdict collections.Counter "
            "collections.ChainMap collections.UserDict weakref.WeakValueDictionary "
            "weakref.WeakKeyDictionary types.SimpleNamespace json.load json.loads yaml.safe_load "
            "yaml.load toml.load tomllib.load tomllib.loads"
        ),
        _words(
            "update setdefault pop popitem clear move_to_end subtract __setitem__ __delitem__ "
            "__ior__"
        ),
    ),
    Family(
        "set",
        _words("builtins.set weakref.WeakSet"),
        _words(
            "add discard remove pop clear update intersection_update difference_update "
            "symmetric_difference_update"
        ),
    ),
    Family(
        "deque",
        _words("collections.deque"),
        _words(
            "append appendleft extend extendleft insert remove pop popleft clear rotate reverse"
        ),
    ),
    Family(
        "bytearray",
        _words("builtins.bytearray builtins.memoryview io.BytesIO io.StringIO"),
        _words("append extend insert remove pop clear reverse write writelines truncate"),
    ),
    Family(
        "frame",
        _under("pandas", _FRAME_READERS)
        | _under("geopandas", "GeoDataFrame read_file read_parquet read_feather read_postgis")
        | _under("polars", _POLARS_READERS),
        _words("insert pop update extend insert_column replace_column isetitem"),
    ),
    Family(
        "series",
        _under(
            "pandas",
            "Series date_range to_datetime to_numeric cut qcut Index MultiIndex DatetimeIndex",
        )
        | _words("polars.Series"),
        _words("pop update insert_at_idx set_at_idx scatter"),
    ),
    Family(
        "array",
        _under("numpy", _ARRAY_MAKERS) | _under("numpy.ma", "array masked_array"),
        _words("fill sort partition put resize itemset setfield setflags"),
    ),
    Family(
        "figure",
        _under("plotly.graph_objects", "Figure FigureWidget")
        | _under("plotly.graph_objs", "Figure FigureWidget")
        | _under("plotly.subplots", "make_subplots")
        | _under("plotly.tools", "make_subplots")
        | _under(
            "plotly.express",
            "area bar bar_polar box choropleth choropleth_mapbox choropleth_map density_contour "
            "density_heatmap density_mapbox ecdf funnel funnel_area histogram icicle imshow line "
            "line_3d line_geo line_mapbox line_map line_polar line_ternary parallel_categories "
            "parallel_coordinates pie scatter scatter_3d scatter_geo scatter_mapbox scatter_map "
            "scatter_matrix scatter_polar scatter_ternary strip sunburst timeline treemap violin",
        )
        | _under(
            "plotly.figure_factory",
            "create_table create_gantt create_distplot create_annotated_heatmap create_dendrogram",
        ),
        _words(
            "add_annotation add_area add_bar add_box add_candlestick add_choropleth add_contour "
            "add_heatmap add_histogram add_hline add_hrect add_image add_layout_image add_mesh3d "
            "add_pie add_scatter add_scatter3d add_scattergl add_scattermapbox add_selection "
            "add_shape add_surface add_table add_trace add_traces add_vline add_vrect append_trace "
            "batch_update for_each_annotation for_each_trace for_each_xaxis for_each_yaxis "
            "set_subplots update update_annotations update_coloraxes update_geos update_layout "
            "update_layout_images update_polars update_scenes update_shapes update_traces "
            "update_xaxes update_yaxes"
        ),
        augments=False,
    ),
    Family(
        "graph",
        _words("networkx"),
        _words(
            "add_node add_nodes_from add_edge add_edges_from add_weighted_edges_from remove_node "
            "remove_nodes_from remove_edge remove_edges_from clear clear_edges update"
        ),
        augments=False,
    ),
    Family(
        "estimator",  # anything of these packages that has `fit`
        _words("sklearn xgboost lightgbm catboost statsmodels prophet tensorflow keras torch"),
        _words(
            "fit fit_transform fit_predict partial_fit set_params compile load_state_dict "
            "load_weights"
        ),
        augments=False,
    ),
)
"""The types whose objects hold data."""

BY_NAME: Final = {family.name: family for family in FAMILIES}
_FAMILY_OF_TYPE: Final = {name: family for family in FAMILIES for name in family.types}

FOREIGN_METHODS: Final = _words(
    "append extend appendleft popleft setdefault popitem update_layout update_traces add_trace"
)
"""The methods that say that the object is data, even if it is of a type that nobody here knows."""

DATA_METHODS: Final = frozenset(
    method
    for name in ("list", "dict", "set", "deque", "figure")
    for method in BY_NAME[name].methods
) | _words("partial_fit fit_transform insert_column replace_column")
"""The methods that change data, for an object of the program whose type is unknown."""


def family_of(name: str) -> Family | None:
    """Return the family of a type, or of what a function returns, by its public dotted name."""
    return _FAMILY_OF_TYPE.get(name) or _FAMILY_OF_TYPE.get(name.partition(".")[0])


def is_mutating(family: str | None, method: str) -> bool:
    """Return whether *method* changes an object of the family.

    None stands for data of an unknown type.
    """
    return method in (BY_NAME[family].methods if family in BY_NAME else DATA_METHODS)


ARGUMENT_MUTATORS: Final = {
    **dict.fromkeys(_under("random", "shuffle"), 0),
    **dict.fromkeys(_under("numpy.random", "shuffle"), 0),
    **dict.fromkeys(_under("heapq", "heappush heappop heapify heapreplace heappushpop"), 0),
    **dict.fromkeys(_under("bisect", "insort insort_left insort_right"), 0),
    **dict.fromkeys(_under("numpy", "put copyto fill_diagonal place putmask put_along_axis"), 0),
    **dict.fromkeys(_under("operator", "setitem delitem iadd ior iand isub imul ixor iconcat"), 0),
    **dict.fromkeys(_under("builtins", "setattr delattr object.__setattr__"), 0),
    **dict.fromkeys(_under("numpy.add", "at"), 0),
}
"""The functions that change an argument, and its position."""

PROCESS_STATE: Final = _words(
    "os.environ os.environb sys.path sys.modules sys.argv sys.stdout sys.stderr sys.stdin "
    "pandas.options matplotlib.rcParams matplotlib.pyplot.rcParams plotly.io.templates "
    "plotly.io.renderers plotly.express.defaults plotly.io.orca plotly.io.kaleido warnings.filters "
    "tempfile.tempdir dash.page_registry builtins matplotlib.style.library"
)
"""The objects that hold the state of the whole process."""

PROCESS_CALLS: Final = _words(
    "os.putenv os.unsetenv os.chdir os.fchdir os.umask os.setuid os.setgid os.nice "
    "os.environ.update os.environ.setdefault os.environ.pop os.environ.clear random.seed "
    "random.setstate numpy.random.seed numpy.random.set_state numpy.seterr numpy.set_printoptions "
    "pandas.set_option pandas.reset_option pandas.set_eng_float_format torch.manual_seed "
    "torch.set_default_dtype tensorflow.random.set_seed locale.setlocale decimal.setcontext "
    "socket.setdefaulttimeout sys.setrecursionlimit sys.setswitchinterval signal.signal time.tzset "
    "warnings.filterwarnings warnings.simplefilter warnings.resetwarnings matplotlib.use "
    "matplotlib.pyplot.switch_backend matplotlib.pyplot.style.use matplotlib.style.use "
    "matplotlib.rc matplotlib.pyplot.rc matplotlib.rcdefaults matplotlib.pyplot.rcdefaults "
    "seaborn.set seaborn.set_theme seaborn.set_style seaborn.set_palette seaborn.set_context "
    "logging.disable logging.basicConfig dotenv.load_dotenv importlib.reload sys.path.append "
    "sys.path.insert sys.path.extend sys.path.remove dash.register_page gc.disable gc.enable "
    "faulthandler.enable multiprocessing.set_start_method asyncio.set_event_loop_policy "
    "polars.Config"
)
"""The functions that change the state of the whole process."""

APP_ATTRIBUTES: Final = _words(
    "layout validation_layout title index_string config css scripts renderer interpolate_index"
)
"""What belongs to the Dash app: one for all users, and one in each worker."""

REQUEST: Final = _words(
    "flask.request flask.session flask.g quart.request quart.session dash.ctx "
    "dash.callback_context dash_extensions.enrich.ctx dash_extensions.enrich.callback_context "
    "flask_login.current_user"
)
"""What belongs to the request that is being answered."""

INFRASTRUCTURE: Final = _words(
    # Python's own: logs, locks, queues, pools, contexts, connections.
    "logging threading _thread multiprocessing queue concurrent asyncio contextvars sqlite3 socket "
    "ssl http urllib smtplib ftplib imaplib selectors signal tempfile subprocess sched "
    "socketserver dbm shelve weakref.finalize "
    # Logs and metrics.
    "structlog loguru prometheus_client statsd opentelemetry sentry_sdk datadog ddtrace newrelic "
    "elasticapm tqdm rich psutil resource "
    # Databases, queues and clients.
    "sqlalchemy sqlmodel flask_sqlalchemy psycopg psycopg2 psycopg_pool asyncpg pymysql MySQLdb "
    "mysql cx_Oracle oracledb pyodbc pymssql turbodbc duckdb clickhouse_driver clickhouse_connect "
    "snowflake databricks trino pyhive impala pymongo motor mongoengine flask_pymongo peewee pony "
    "tortoise redis fakeredis rediscluster valkey memcache pymemcache pylibmc cassandra neo4j "
    "py2neo elasticsearch opensearchpy influxdb influxdb_client tinydb gspread pygsheets boto3 "
    "botocore aioboto3 google azure supabase firebase_admin pika kafka confluent_kafka aiokafka "
    "kombu celery rq huey dramatiq apscheduler flask_apscheduler paho zmq nats serial requests "
    "requests_cache httpx aiohttp urllib3 websocket websockets paramiko fabric grpc openai "
    "anthropic langchain llama_index slack_sdk stripe twilio ccxt selenium playwright kubernetes "
    "docker "
    # Caches and stores that are made to be shared.
    "flask_caching flask_cache cachelib diskcache dogpile joblib.Memory joblib.Parallel cachetools "
    "dash_stash vaex "
    # Flask and its extensions: per request, per session, or locked.
    "flask werkzeug flask_login flask_session flask_wtf flask_mail flask_migrate flask_principal "
    "flask_security flask_limiter flask_compress flask_cors flask_socketio flask_talisman "
    "flask_bcrypt quart fastapi starlette uvicorn gunicorn "
    # What Dash itself gives for this.
    "dash.ctx dash.callback_context dash.Patch dash.set_props dash.no_update dash.Dash "
    "dash.dash.Dash dash.hooks dash.DiskcacheManager dash.CeleryManager dash.long_callback "
    "dash._callback_context dash._patch dash._callback dash._pages dash._utils.AttributeDict "
    "dash.exceptions dash_extensions.enrich.DashProxy dash_extensions.enrich.Dash "
    "dash_extensions.enrich.DashBlueprint dash_extensions.enrich.ctx "
    "dash_extensions.enrich.callback_context dash_extensions.logging jupyter_dash.JupyterDash "
    "dash_auth django_plotly_dash dash_labs dash_uploader dash_snapshots ray distributed "
    "dask.distributed"
)
"""Packages, modules and types whose objects are made to be shared, or belong to one request.

A callback may change them.
"""

ANSWERING: Final = (
    "dash.",
    "dash_extensions.",
    "flask.",
    "quart.",
    "requests.",
    "httpx.",
    "urllib.",
    "urllib3.",
    "subprocess.",
    "tempfile.",
)
"""The packages whose functions answer with something of the moment.

Their classes are made to be kept.
"""


def is_infrastructure(name: str) -> bool:
    """Return whether a callback may change objects of a type, or of what a function makes.

    *name* is the public dotted name of the type or the function.
    """
    parts = name.split(".")
    return any(".".join(parts[:length]) in INFRASTRUCTURE for length in range(1, len(parts) + 1))
