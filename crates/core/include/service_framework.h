/* The boundary between service_framework's runtime and a service, for plugins in any language.
 *
 * A plugin is a shared library that exports one symbol,
 *
 *     const struct sf_plugin service_framework_plugin_v1_<name>;
 *
 * where <name> is the service's, with `_` for `-`, and 1 is SF_VERSION. Only what stands here crosses, in both
 * directions: bytes, lengths, numbers and C functions.
 *
 * Rules for everything below:
 *
 * - No function may unwind: no exception, no longjmp, no panic. A fault of the plugin's is an SF_FAILED.
 * - Whoever allocates frees. Bytes are lent: a slice, a sink, a waker and a table that is passed to a function may be
 *   used until that function returns, and what is kept is copied first. (A waker is cloned, a host is retained.)
 * - A library is never unloaded.
 * - Fields may be added at the end of a table without another version; its `size` says whether they are there.
 *
 * Messages are maps, in MessagePack or in JSON. The tagged values among them (decimals, UUIDs, sets, arrays) are
 * those of the wire. Other texts are UTF-8 and do not end with a 0.
 *
 * The plugin in crates/runtime/tests/plugins/echo.c uses all of it.
 */
#ifndef SERVICE_FRAMEWORK_H
#define SERVICE_FRAMEWORK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SF_VERSION 1u

/* --- What functions return ---------------------------------------------------------------------------------- */

/* The answer is in the sink. */
#define SF_READY 0u
/* The work goes on: poll it, or drop it. The sink has nothing. */
#define SF_PENDING 1u
/* There is no result. Why stands in the sink, as a MessagePack map with the texts `code` and `message`, and perhaps
 * any value as `data`. The codes `failed` and `panicked` are the framework's; a code of the author's own is any other
 * word, and the service's name should stand in front of it: `gateway.unknown_order`. */
#define SF_FAILED 2u

/* --- How messages are written ------------------------------------------------------------------------------- */

#define SF_MESSAGE_PACK 0u
#define SF_JSON 1u
/* Added to one of these: what is written is for a peer in Python, which understands less. Map keys are text; floats
 * are float64 and never integers; times are RFC 3339 text; optional fields and entries of maps are left out and
 * never null; arrays have one dimension and are little-endian float64; decimals have an exponent of at most 18 digits; sets
 * have neither lists nor sNaN in them. */
#define SF_FOR_PYTHON 0x100u

/* A number of milliseconds that means there is no such time. */
#define SF_NEVER UINT64_MAX

/* --- Optional methods --------------------------------------------------------------------------------------- */

/* The numbers of hooks. `setup` takes them as they are, `start` with SF_FIRST_HOOK added. */
enum sf_hook {
    SF_HOOK_MAIN = 0,              /* start */
    SF_HOOK_INIT = 1,              /* start */
    SF_HOOK_SETUP_CONFIG = 2,      /* setup */
    SF_HOOK_SETUP_ADDRESSES = 3,   /* setup */
    SF_HOOK_SETUP_CONNECTIONS = 4, /* setup */
    SF_HOOK_SETUP_STATES = 5,      /* setup */
    SF_HOOK_ON_SIGINT = 6,         /* start */
    SF_HOOK_ON_SIGTERM = 7         /* start */
};

/* Targets of calls below SF_FIRST_STATE are numbers of handlers: those of connections, then those of the updates of
 * states, in the order of the declaration. Then come the copies of states, and then hooks. */
#define SF_FIRST_STATE 0x40000000u
#define SF_FIRST_HOOK 0x80000000u

/* --- What is lent ------------------------------------------------------------------------------------------- */

/* Bytes. A null pointer means that there are none to speak of, as in "no topic". */
struct sf_slice {
    const uint8_t *bytes;
    size_t len;
};

/* Takes bytes. What is written by several calls stands one behind the other. */
struct sf_sink {
    void *context; /* for `write` */
    void (*write)(void *context, const uint8_t *bytes, size_t len);
};

/* Tells whoever polls that polling again is worth it. Any thread may use it, also for more wakes than are needed. */
struct sf_waker {
    const void *data; /* for the functions */
    /* The data of a waker that may be kept: copy the struct and put this in place of `data`. */
    const void *(*clone)(const void *data);
    /* Wakes; the waker is still there. */
    void (*wake)(const void *data);
    /* Ends a waker that was cloned, and no other. */
    void (*drop)(const void *data);
};

/* Goes on with a future. To wait, it clones the waker and returns SF_PENDING; the latest waker is the one to wake.
 * After anything but SF_PENDING the future is only dropped. One thread at a time. */
typedef uint32_t (*sf_poll)(void *future, const struct sf_waker *waker, struct sf_sink out);

/* Ends a future, finished or not. Once. */
typedef void (*sf_drop)(void *future);

/* --- From the host to the plugin ---------------------------------------------------------------------------- */

/* One call of a handler. */
struct sf_call {
    uint32_t target;            /* a handler; a copy: SF_FIRST_STATE plus its position; or SF_FIRST_HOOK plus an sf_hook */
    uint32_t encoding;          /* of `args`, and of the return arguments that are due */
    struct sf_slice args;       /* a map, not empty unless the target is a hook */
    struct sf_slice workflow_id; /* text; null for hooks */
    uint32_t workflow_is_uuid;  /* 1 if the id is a UUID on the wire: pass it on with the first message */
    struct sf_slice topic;      /* text; null if there is none */
    uint64_t until_us;          /* when nobody waits for the answer any more, by the host's `now`; or SF_NEVER */
};

/* --- States --------------------------------------------------------------------------------------------------
 *
 * The host keeps the value of each state that is declared `.._in` up to date, and tells the service of all that is new of it by
 * `start` with SF_FIRST_STATE plus its position, on the service's thread, so that the service may hold a copy. The arguments are
 *
 *     status       "syncing", "live" or "stale"
 *     since_us     since when, by the host's `now`
 *     current_num  the number of the value; missing while there is none
 *     is_snapshot  with `state` alone: whether that is the whole value, and not a change of it
 *     state        what is new of the value, if anything is: the whole, or keys with new values, and with null where they go
 *
 * The answer is SF_READY with nothing, or SF_FAILED with code `bad_args` for a value that the service does not take, which
 * must then leave its copy as it was. A service that holds no copy answers SF_READY.
 *
 * The handler of a state, if it declares one (`run`), has the number of the state as its target, and is called after each update with
 * the value itself if the state is a full one, and otherwise with `current_num`, `is_snapshot` and `state`.
 *
 * A service publishes states that are declared `.._out` by `publish` with the number of the state: a full one with its
 * value as arguments; one of deltas with `state` and `is_snapshot` as above, and with `current_num` only if it numbers by itself. */

struct sf_host;

/* What a plugin exports.
 *
 * `describe` comes first; then `setup`, then `create`. The thread that calls `create` is the service's thread: all
 * calls with the instance come from it, and futures of it are polled and dropped on it. Handlers declared `blocking`
 * are the exception: they are started on any thread, several at once, and must not answer SF_PENDING. Futures are
 * dropped before their instance is destroyed.
 *
 * Several services of one library share its statics, and each has a thread of its own: all of these functions may run at
 * the same time for different services.
 *
 * Handlers interleave, except those declared `exclusive`: while one of them runs, from `start` to its end, no other does.
 */
struct sf_plugin {
    uint32_t version; /* SF_VERSION */
    uint32_t size;    /* sizeof(struct sf_plugin) */
    /* Writes the declaration as JSON; `service_framework describe --json` prints that of any service. Each
     * connection has a name, not empty, that no other has. With `"checks_messages": false` the host checks each message
     * against its model, on the way in and out. */
    uint32_t (*describe)(struct sf_sink out);
    /* Runs a hook that needs no instance. Input and output are MessagePack maps. The input is the config for
     * SF_HOOK_SETUP_CONFIG; for the others it has `config`, and for SF_HOOK_SETUP_ADDRESSES `addresses` too.
     * It is never called for a hook that is not declared, but no function of the table may be null. */
    uint32_t (*setup)(uint32_t hook, struct sf_slice input, struct sf_sink out);
    /* Makes an instance from its config, a map in MessagePack; SF_READY or SF_FAILED. The host's table is lent: copy
     * it, and `retain` the host if it is to be used once the instance is gone. */
    uint32_t (*create)(const struct sf_host *host, struct sf_slice config, void **instance, struct sf_sink out);
    /* Ends an instance, on the service's thread; or, if a blocking handler outlasts everything else, on its thread. What
     * may not end there is left where it is. */
    void (*destroy)(void *instance);
    /* Starts a handler. SF_READY with its return arguments in the sink (a map, empty for subscribers and hooks),
     * SF_FAILED, or SF_PENDING with a future, which will be polled at least once. */
    uint32_t (*start)(void *instance, const struct sf_call *call, void **future, struct sf_sink out);
    /* For the futures of `start`. */
    sf_poll poll;
    sf_drop drop;
};

/* --- From the plugin to the host ---------------------------------------------------------------------------- */

/* One message that a service sends, or one call of an external target. */
struct sf_outgoing {
    uint32_t connection;        /* its position in the declaration; those of states follow those of connections */
    uint32_t encoding;          /* of `args`; the host's `encoding` says what the peer likes best */
    struct sf_slice args;       /* a map */
    struct sf_slice topic;      /* text, or null for the connection's own */
    struct sf_slice workflow_id; /* text, or null to start a workflow. A handler called with W sends W, W_1, W_2 .. */
    uint32_t workflow_is_uuid;  /* 1 only with W itself, and only if the call said so; what is no UUID is sent as text */
    uint64_t deadline_ms;       /* time to wait for the answer, or SF_NEVER for what is set for the connection */
    uint64_t until_us;          /* that of the call in which this one is made, or SF_NEVER */
};

/* A log record. */
struct sf_record {
    uint32_t level;             /* 1 error, 2 warn, 3 info, 4 debug, 5 trace */
    struct sf_slice target;     /* where in the service it comes from */
    struct sf_slice message;
    struct sf_slice workflow_id; /* text, or null */
};

/* What the host offers to an instance, from within `create` on. Any thread may call; `context` is the first argument
 * of every function but `poll` and `drop`.
 *
 * `request`, `sleep` and `stopping` start an operation: a future of the host's, for its `poll` and `drop`. It may be
 * moved among threads, and polled by one at a time. Every operation is dropped, finished or not; that may be after the
 * last `release`. */
struct sf_host {
    uint32_t size; /* of the host's table */
    const void *context;
    /* Keeps the host beyond `destroy`; once for each `release`. */
    void (*retain)(const void *context);
    void (*release)(const void *context);
    /* How messages of a connection are to be written. */
    uint32_t (*encoding)(const void *context, uint32_t connection);
    /* Sends a request, or calls an external target of the service. The operation ends with the return arguments,
     * whose encoding their first byte tells: `{` begins JSON. By a publisher, publishes when there is room, and ends
     * with nothing. */
    void *(*request)(const void *context, const struct sf_outgoing *message);
    /* Publishes, and does not wait. SF_READY or SF_FAILED. */
    uint32_t (*publish)(const void *context, const struct sf_outgoing *message, struct sf_sink out);
    /* The clock that deadlines and `sleep` go by, in microseconds since any moment. It never goes back. */
    uint64_t (*now)(const void *context);
    /* Waits for that many microseconds; ends with no bytes. */
    void *(*sleep)(const void *context, uint64_t microseconds);
    /* Waits until the service is to stop; ends with no bytes. */
    void *(*stopping)(const void *context);
    /* Asks the service to stop. */
    void (*stop)(const void *context);
    /* For operations. */
    sf_poll poll;
    sf_drop drop;
    /* Gives a future of the plugin's to the host, which polls it on the service's thread until it ends, and drops it
     * there or, when the service ends, on any thread. The instance may be gone by then. */
    void (*spawn)(const void *context, void *future, sf_poll poll, sf_drop drop);
    /* The level of the least urgent record that is wanted, 0 for none. Ask before a record is built. */
    uint32_t (*log_level)(const void *context);
    void (*log)(const void *context, const struct sf_record *record);
};

#ifdef __cplusplus
}
#endif

#endif
