// SPDX-License-Identifier: Apache-2.0

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.milvus.v2.client.MilvusClientV2;
import io.milvus.v2.client.RetryConfig;
import io.milvus.v2.common.ConsistencyLevel;
import io.milvus.v2.service.vector.request.InsertReq;
import io.milvus.v2.service.vector.request.SearchReq;
import io.milvus.v2.service.vector.request.data.FloatVec;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;

/** A load without an end, see ../loads.py. */
final class Load {
    private static final String COLLECTION = System.getenv("SDK_COLLECTION");
    private static final long FIRST_KEY = Long.parseLong(System.getenv("SDK_FIRST_KEY"));
    private static final int WORKERS = 4;
    private static final int KEYS_OF_WORKER = 100_000;
    private static final int FIRST_ROWS = 100; // their keys are below
    private static final int PAUSE_MS = 20;
    private static final Gson GSON = new Gson();

    private final MilvusClientV2 client = new MilvusClientV2(Sdk.config().build());
    private volatile boolean ending;

    /** Until SIGTERM. */
    void run() {
        client.retryConfig(RetryConfig.builder().maxRetryTimes(1).build()); // who inserts twice would be the daemon
        ExecutorService pool = Executors.newFixedThreadPool(WORKERS);
        CompletableFuture<?> all = CompletableFuture.allOf(LongStream.range(0, WORKERS)
            .mapToObj(i -> CompletableFuture.runAsync(() -> work(FIRST_KEY + i * KEYS_OF_WORKER), pool))
            .toArray(CompletableFuture<?>[]::new));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(all)));
        all.join();
    }

    /** Java itself would exit with the signal's code. */
    private void end(CompletableFuture<?> all) {
        ending = true;
        all.join();
        Runtime.getRuntime().halt(0);
    }

    private void work(long first) {
        for (long key = first; !ending; key++) {
            long known = key % FIRST_ROWS;
            JsonObject keyed = row("id", key);
            JsonObject tagged = row("tag", key);
            report("search", known, () -> search(known));
            report("keyed", key, () -> insert(COLLECTION, keyed));
            report("auto", key, () -> insert(COLLECTION + "_auto", tagged));
        }
    }

    private static void report(String what, long key, Callable<Object> call) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("what", what);
        line.put("key", key);
        try {
            line.put("found", call.call());
        } catch (Exception error) {
            line.put("error", Sdk.text(error));
            pause();
        }
        Sdk.show(line);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static List<Float> vector(long key) {
        return Collections.nCopies(4, key < FIRST_ROWS ? (float) key : -1000f);
    }

    private static JsonObject row(String field, long key) {
        JsonObject row = new JsonObject();
        row.addProperty(field, key);
        row.add("vector", GSON.toJsonTree(vector(key)));
        return row;
    }

    private Object search(long key) {
        return client.search(SearchReq.builder().collectionName(COLLECTION).data(List.of(new FloatVec(vector(key))))
            .limit(1).consistencyLevel(ConsistencyLevel.BOUNDED).build()).getSearchResults().get(0).get(0).getId();
    }

    private long insert(String collection, JsonObject row) {
        return client.insert(InsertReq.builder().collectionName(collection).data(List.of(row)).build())
            .getInsertCnt();
    }
}
