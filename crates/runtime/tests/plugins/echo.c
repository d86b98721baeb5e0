/* A service in C: answers with its arguments, at once, later, or with what somebody else makes of them.
 *
 * It shows every part of the boundary: a handler that ends at once, one that waits for itself, one that waits for the
 * host, failures, background work, publications and log records. Its messages are checked by the host.
 */
#include "service_framework.h"

#include <stdlib.h>
#include <string.h>

#define TEXT "{\"record\": {\"name\": \"Text\", \"fields\": [{\"name\": \"text\", \"type\": \"text\"}]}}"
#define CONNECTION(name, rest) "{\"name\": \"" name "\", \"args\": " TEXT ", \"returns\": " TEXT ", " rest "}"
#define REPLYER(name, run) CONNECTION(name, "\"type\": \"replyer\", \"run\": \"" run "\"")

enum { ECHO, LATER, ASK, REFUSE, WRONG, BLOCK, AUDIT, TOLD };

static const char DECLARATION[] =
    "{\"service\": \"echo\", \"version\": \"1.0.0\", \"doc\": \"A service in C.\", \"checks_messages\": false,"
    " \"config\": {\"record\": {\"name\": \"Config\", \"open\": true}},"
    " \"connections\": ["
    REPLYER("echo", "inline") ","
    REPLYER("later", "async") ","
    REPLYER("ask", "async") ","
    REPLYER("refuse", "inline") ","
    REPLYER("wrong", "inline") ","
    REPLYER("block", "blocking") ","
    CONNECTION("audit", "\"type\": \"requester\"") ","
    "{\"name\": \"told\", \"type\": \"publisher\", \"args\": " TEXT "}],"
    " \"hooks\": {\"main\": \"async\", \"init\": \"inline\"}}";

/* MessagePack: a map of one text, or of two. */
#define PACKED_TOLD "\x81\xa4text\xa4told"
#define PACKED_REFUSAL "\x82\xa4" "code" "\xac" "echo.refused" "\xa7message\xa9not today"

struct echo {
    struct sf_host host;
};

/* A handler that waits. */
struct future {
    struct sf_host host;
    void *operation; /* of the host's, or null */
    int polls;
    size_t len;
    uint8_t args[];
};

static uint32_t answer(struct sf_sink out, uint32_t status, const void *bytes, size_t len) {
    out.write(out.context, bytes, len);
    return status;
}

#define ANSWER(out, status, literal) answer(out, status, literal, sizeof(literal) - 1)

static struct sf_slice text(const char *text) {
    return (struct sf_slice){(const uint8_t *)text, strlen(text)};
}

static void say(const struct sf_host *host, const char *message, struct sf_slice workflow_id) {
    struct sf_record record = {3, text("echo"), text(message), workflow_id};
    if (host->log_level(host->context) >= record.level) {
        host->log(host->context, &record);
    }
}

static uint32_t describe(struct sf_sink out) {
    return ANSWER(out, SF_READY, DECLARATION);
}

static uint32_t setup(uint32_t hook, struct sf_slice input, struct sf_sink out) {
    (void)hook, (void)input;
    return ANSWER(out, SF_FAILED, PACKED_REFUSAL);
}

static uint32_t create(const struct sf_host *host, struct sf_slice config, void **instance, struct sf_sink out) {
    struct echo *echo = malloc(sizeof *echo);
    if (echo == NULL || host->size < sizeof *host || config.len == 0) {
        free(echo);
        return ANSWER(out, SF_FAILED, PACKED_REFUSAL);
    }
    echo->host = *host;
    host->retain(host->context);
    *instance = echo;
    return SF_READY;
}

static void destroy(void *instance) {
    struct echo *echo = instance;
    say(&echo->host, "destroyed", (struct sf_slice){0});
    echo->host.release(echo->host.context);
    free(echo);
}

/* Waits once for nobody but itself. */
static uint32_t poll_later(struct future *future, const struct sf_waker *waker, struct sf_sink out) {
    if (future->polls++ == 0) {
        struct sf_waker kept = *waker;
        kept.data = waker->clone(waker->data);
        kept.wake(kept.data);
        kept.drop(kept.data);
        return SF_PENDING;
    }
    return answer(out, SF_READY, future->args, future->len);
}

static uint32_t poll_future(void *pointer, const struct sf_waker *waker, struct sf_sink out) {
    struct future *future = pointer;
    if (future->operation == NULL) {
        return poll_later(future, waker, out);
    }
    /* What the host writes, an answer or a failure, is what this handler answers. */
    return future->host.poll(future->operation, waker, out);
}

static void drop_future(void *pointer) {
    struct future *future = pointer;
    if (future->operation != NULL) {
        future->host.drop(future->operation);
    }
    future->host.release(future->host.context);
    free(future);
}

static struct future *wait_for(const struct sf_host *host, void *operation, struct sf_slice args) {
    struct future *future = malloc(sizeof *future + args.len);
    if (future == NULL) {
        abort();
    }
    host->retain(host->context);
    future->host = *host;
    future->operation = operation;
    future->polls = 0;
    future->len = args.len;
    if (args.len > 0) {
        memcpy(future->args, args.bytes, args.len);
    }
    return future;
}

static void *ask(const struct sf_host *host, const struct sf_call *call) {
    struct sf_outgoing message = {
        .connection = AUDIT,
        .encoding = call->encoding & ~SF_FOR_PYTHON,
        .args = call->args,
        .workflow_id = call->workflow_id,
        .workflow_is_uuid = call->workflow_is_uuid,
        .deadline_ms = SF_NEVER,
        .until_us = call->until_us,
    };
    return host->request(host->context, &message);
}

static uint32_t tell(const struct sf_host *host, struct sf_sink out) {
    struct sf_outgoing message = {
        .connection = TOLD,
        .encoding = host->encoding(host->context, TOLD) & ~SF_FOR_PYTHON,
        .args = text(PACKED_TOLD),
        .topic = text("news"),
        .deadline_ms = SF_NEVER,
        .until_us = SF_NEVER,
    };
    return host->publish(host->context, &message, out);
}

/* Publishes, leaves a short sleep to the host as background work, and goes on until the service stops. */
static uint32_t start_main(struct echo *echo, void **future, struct sf_sink out) {
    const struct sf_host *host = &echo->host;
    uint64_t before = host->now(host->context);
    if (tell(host, out) != SF_READY) {
        return SF_FAILED;
    }
    void *sleep = host->sleep(host->context, 1000);
    host->spawn(host->context, wait_for(host, sleep, (struct sf_slice){0}), poll_future, drop_future);
    if (host->now(host->context) < before) {
        return ANSWER(out, SF_FAILED, PACKED_REFUSAL);
    }
    *future = wait_for(host, host->stopping(host->context), (struct sf_slice){0});
    return SF_PENDING;
}

static uint32_t start(void *instance, const struct sf_call *call, void **future, struct sf_sink out) {
    struct echo *echo = instance;
    switch (call->target) {
    case BLOCK:
    case ECHO:
        return answer(out, SF_READY, call->args.bytes, call->args.len);
    case LATER:
        *future = wait_for(&echo->host, NULL, call->args);
        return SF_PENDING;
    case ASK:
        say(&echo->host, "asking", call->workflow_id);
        *future = wait_for(&echo->host, ask(&echo->host, call), (struct sf_slice){0});
        return SF_PENDING;
    case REFUSE:
        return ANSWER(out, SF_FAILED, PACKED_REFUSAL);
    case WRONG:
        return ANSWER(out, SF_READY, "\x81\xa4text\x07");
    case SF_FIRST_HOOK + SF_HOOK_MAIN:
        return start_main(echo, future, out);
    case SF_FIRST_HOOK + SF_HOOK_INIT:
        say(&echo->host, "init", (struct sf_slice){0});
        return ANSWER(out, SF_READY, "\x80");
    default:
        return ANSWER(out, SF_FAILED, PACKED_REFUSAL);
    }
}

const struct sf_plugin service_framework_plugin_v1_echo = {
    .version = SF_VERSION,
    .size = sizeof(struct sf_plugin),
    .describe = describe,
    .setup = setup,
    .create = create,
    .destroy = destroy,
    .start = start,
    .poll = poll_future,
    .drop = drop_future,
};
