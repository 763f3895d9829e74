// SPDX-License-Identifier: Apache-2.0

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.milvus.v2.client.ConnectConfig;
import io.milvus.v2.client.MilvusClientV2;
import io.milvus.v2.common.ConsistencyLevel;
import io.milvus.v2.common.DataType;
import io.milvus.v2.common.IndexParam;
import io.milvus.v2.service.collection.request.AddFieldReq;
import io.milvus.v2.service.collection.request.CreateCollectionReq;
import io.milvus.v2.service.collection.request.DescribeCollectionReq;
import io.milvus.v2.service.collection.request.DropCollectionReq;
import io.milvus.v2.service.collection.request.HasCollectionReq;
import io.milvus.v2.service.collection.request.LoadCollectionReq;
import io.milvus.v2.service.collection.request.ReleaseCollectionReq;
import io.milvus.v2.service.database.request.CreateDatabaseReq;
import io.milvus.v2.service.database.request.DropDatabaseReq;
import io.milvus.v2.service.index.request.DescribeIndexReq;
import io.milvus.v2.service.index.request.ListIndexesReq;
import io.milvus.v2.service.partition.request.CreatePartitionReq;
import io.milvus.v2.service.partition.request.DropPartitionReq;
import io.milvus.v2.service.partition.request.ListPartitionsReq;
import io.milvus.v2.service.utility.request.CreateAliasReq;
import io.milvus.v2.service.utility.request.DescribeAliasReq;
import io.milvus.v2.service.utility.request.DropAliasReq;
import io.milvus.v2.service.vector.request.AnnSearchReq;
import io.milvus.v2.service.vector.request.DeleteReq;
import io.milvus.v2.service.vector.request.GetReq;
import io.milvus.v2.service.vector.request.HybridSearchReq;
import io.milvus.v2.service.vector.request.InsertReq;
import io.milvus.v2.service.vector.request.QueryReq;
import io.milvus.v2.service.vector.request.SearchReq;
import io.milvus.v2.service.vector.request.UpsertReq;
import io.milvus.v2.service.vector.request.data.BaseVector;
import io.milvus.v2.service.vector.request.data.FloatVec;
import io.milvus.v2.service.vector.request.ranker.RRFRanker;
import io.milvus.v2.service.vector.response.QueryResp;
import io.milvus.v2.service.vector.response.SearchResp;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** The steps, in the order in which they run. */
final class Steps {
    private static final String PREFIX = System.getenv("SDK_PREFIX");
    private static final String DATABASE = System.getenv("SDK_DATABASE");
    private static final String BOOKS = PREFIX + "_books";
    private static final String QUICK = PREFIX + "_quick";
    private static final String TWIN = PREFIX + "_twin";
    private static final String ALIAS = PREFIX + "_alias";
    private static final long CALL_LIMIT_MS = 20_000;
    private static final long TOO_SHORT_MS = 100;
    private static final int MANY = 4000; // vectors in one search, so that no server is done within TOO_SHORT_MS
    private static final int TIMES = 10; // queries that each of two clients has under way at once
    private static final int DIMENSION = 4;
    private static final Gson GSON = new Gson();

    private MilvusClientV2 client; // of the default database
    private MilvusClientV2 beside; // of the database of this run

    Map<String, Sdk.Step> inOrder() {
        Map<String, Sdk.Step> steps = new LinkedHashMap<>();
        steps.put("connect", this::connect);
        steps.put("connect_with_timeout", this::connectWithTimeout);
        steps.put("server_version", () -> client.getServerVersion());
        steps.put("create_database", this::createDatabase);
        steps.put("connect_with_database", this::connectWithDatabase);
        steps.put("create_with_schema", this::createWithSchema);
        steps.put("create_by_dimension", this::createByDimension);
        steps.put("insert", () -> insert(client, BOOKS, 1, 10, ""));
        steps.put("upsert", this::upsert);
        steps.put("search", this::search);
        steps.put("query", this::query);
        steps.put("get", () -> titles(get(BOOKS, List.of(1L, 11L), List.of("id", "title"))));
        steps.put("delete", this::delete);
        steps.put("hybrid_search", this::hybridSearch);
        steps.put("describe", this::describe);
        steps.put("alias", this::alias);
        steps.put("describe_alias", this::describeAlias);
        steps.put("drop_alias", this::dropAlias);
        steps.put("partition", this::partition);
        steps.put("drop_partition", this::dropPartition);
        steps.put("two_clients", this::twoClients);
        steps.put("switch_database", this::switchDatabase);
        steps.put("deadline_kept", this::deadlineKept);
        steps.put("deadline_over", this::deadlineOver);
        steps.put("missing_collection", () -> queryKeys(client, BOOKS + "_missing", "id > 0"));
        steps.put("bad_filter", () -> queryKeys(client, BOOKS, "no_such_field > 0"));
        steps.put("drop", this::drop);
        steps.put("drop_database", this::dropDatabase);
        return steps;
    }

    private static List<String> own(List<String> names) {
        return names.stream().filter(name -> name.startsWith(PREFIX)).sorted().collect(Collectors.toList());
    }

    private static List<String> ownCollections(MilvusClientV2 client) {
        return own(client.listCollections().getCollectionNames());
    }

    private static List<Float> vector(double x) {
        return List.of((float) x, 1f, 0f, 0f);
    }

    private static JsonObject row(long id, String title) {
        JsonObject row = new JsonObject();
        row.addProperty("id", id);
        row.addProperty("title", title);
        row.add("vector", GSON.toJsonTree(vector(id)));
        return row;
    }

    private static List<Long> keys(List<QueryResp.QueryResult> rows) {
        return rows.stream().map(row -> (Long) row.getEntity().get("id")).sorted().collect(Collectors.toList());
    }

    private static List<List<Object>> titles(List<QueryResp.QueryResult> rows) {
        return rows.stream()
            .map(QueryResp.QueryResult::getEntity)
            .sorted((a, b) -> Long.compare((Long) a.get("id"), (Long) b.get("id")))
            .map(row -> List.of(row.get("id"), row.get("title")))
            .collect(Collectors.toList());
    }

    /** Pairs of key and distance, the nearest first. */
    private static List<List<Object>> hits(SearchResp found) {
        return found.getSearchResults().get(0).stream()
            .map(hit -> List.of(hit.getId(), (Object) (Math.round(hit.getScore() * 1000) / 1000.0)))
            .collect(Collectors.toList());
    }

    private static List<QueryResp.QueryResult> query(MilvusClientV2 client, QueryReq.QueryReqBuilder request) {
        return client.query(request.build()).getQueryResults();
    }

    private static List<Long> queryKeys(MilvusClientV2 client, String name, String filter) {
        return keys(query(client, keysOf(name, filter)));
    }

    private static QueryReq.QueryReqBuilder keysOf(String name, String filter) {
        return QueryReq.builder().collectionName(name).filter(filter).outputFields(List.of("id"));
    }

    private static Object count(MilvusClientV2 client) {
        QueryReq.QueryReqBuilder request = QueryReq.builder().collectionName(BOOKS).filter("")
            .outputFields(List.of("count(*)"));
        return query(client, request).get(0).getEntity().get("count(*)");
    }

    private static List<String> indexes(MilvusClientV2 client, String name) {
        return client.listIndexes(ListIndexesReq.builder().collectionName(name).build());
    }

    /** With a schema and an index in one call, and loaded: the SDK does not wait for that. */
    private static void create(MilvusClientV2 client, String name) {
        CreateCollectionReq.CollectionSchema schema = MilvusClientV2.CreateSchema();
        schema.addField(AddFieldReq.builder().fieldName("id").dataType(DataType.Int64).isPrimaryKey(true).build());
        schema.addField(AddFieldReq.builder().fieldName("title").dataType(DataType.VarChar).maxLength(64).build());
        schema.addField(AddFieldReq.builder().fieldName("vector").dataType(DataType.FloatVector)
            .dimension(DIMENSION).build());
        IndexParam flat = IndexParam.builder().fieldName("vector").indexType(IndexParam.IndexType.FLAT)
            .metricType(IndexParam.MetricType.L2).build();
        client.createCollection(CreateCollectionReq.builder().collectionName(name).collectionSchema(schema)
            .indexParams(List.of(flat)).consistencyLevel(ConsistencyLevel.STRONG).build());
        load(client, name);
    }

    private static void load(MilvusClientV2 client, String name) {
        client.loadCollection(LoadCollectionReq.builder().collectionName(name).build());
    }

    private static long insert(MilvusClientV2 client, String name, long first, int count, String partition) {
        List<JsonObject> rows = LongStream.range(first, first + count).mapToObj(id -> row(id, "t" + id))
            .collect(Collectors.toList());
        return client.insert(InsertReq.builder().collectionName(name).partitionName(partition).data(rows).build())
            .getInsertCnt();
    }

    private static boolean has(MilvusClientV2 client, String name) {
        return client.hasCollection(HasCollectionReq.builder().collectionName(name).build());
    }

    private static void drop(MilvusClientV2 client, String name) {
        client.dropCollection(DropCollectionReq.builder().collectionName(name).build());
    }

    private Object connect() {
        client = new MilvusClientV2(Sdk.config().build());
        return ownCollections(client);
    }

    private Object connectWithTimeout() {
        ConnectConfig config = Sdk.config().connectTimeoutMs(CALL_LIMIT_MS).rpcDeadlineMs(CALL_LIMIT_MS).build();
        MilvusClientV2 other = new MilvusClientV2(config);
        try {
            return ownCollections(other);
        } finally {
            other.close();
        }
    }

    private Object createDatabase() {
        client.createDatabase(CreateDatabaseReq.builder().databaseName(DATABASE).build());
        return own(client.listDatabases().getDatabaseNames());
    }

    private Object connectWithDatabase() {
        beside = new MilvusClientV2(Sdk.config().dbName(DATABASE).build());
        return ownCollections(beside);
    }

    private Object createWithSchema() {
        create(client, BOOKS);
        return indexes(client, BOOKS);
    }

    private Object createByDimension() {
        client.createCollection(CreateCollectionReq.builder().collectionName(QUICK).dimension(DIMENSION).build());
        return indexes(client, QUICK);
    }

    private Object upsert() {
        List<JsonObject> rows = List.of(row(10, "new"), row(11, "new"));
        return client.upsert(UpsertReq.builder().collectionName(BOOKS).data(rows).build()).getUpsertCnt();
    }

    private Object search() {
        SearchResp found = client.search(SearchReq.builder().collectionName(BOOKS)
            .data(List.of(new FloatVec(vector(2.2)))).limit(3).outputFields(List.of("title")).build());
        List<Object> titles = found.getSearchResults().get(0).stream().map(hit -> hit.getEntity().get("title"))
            .collect(Collectors.toList());
        return List.of(hits(found), titles);
    }

    private Object query() {
        QueryReq.QueryReqBuilder request = QueryReq.builder().collectionName(BOOKS).filter("id >= 9")
            .outputFields(List.of("id", "title"));
        return List.of(titles(query(client, request)), count(client));
    }

    private List<QueryResp.QueryResult> get(String name, List<Object> ids, List<String> fields) {
        return client.get(GetReq.builder().collectionName(name).ids(ids).outputFields(fields).build())
            .getGetResults();
    }

    private Object delete() {
        client.delete(DeleteReq.builder().collectionName(BOOKS).ids(List.of(1L)).build());
        client.delete(DeleteReq.builder().collectionName(BOOKS).filter("id in [2, 3]").build());
        return queryKeys(client, BOOKS, "id < 6");
    }

    private static AnnSearchReq nearest(double x) {
        return AnnSearchReq.builder().vectorFieldName("vector").vectors(List.of(new FloatVec(vector(x))))
            .metricType(IndexParam.MetricType.L2).limit(3).build();
    }

    private Object hybridSearch() {
        return hits(client.hybridSearch(HybridSearchReq.builder().collectionName(BOOKS)
            .searchRequests(List.of(nearest(5.2), nearest(6.1))).ranker(RRFRanker.builder().build())
            .limit(4).build()));
    }

    private Object describe() {
        List<String> names = client.describeCollection(DescribeCollectionReq.builder().collectionName(BOOKS).build())
            .getCollectionSchema().getFieldSchemaList().stream()
            .map(CreateCollectionReq.FieldSchema::getName).collect(Collectors.toList());
        String metric = client.describeIndex(DescribeIndexReq.builder().collectionName(BOOKS).fieldName("vector")
            .build()).getIndexDescriptions().get(0).getMetricType().name();
        return List.of(names, metric);
    }

    private Object alias() {
        client.createAlias(CreateAliasReq.builder().collectionName(BOOKS).alias(ALIAS).build());
        return keys(get(ALIAS, List.of(7L), List.of("id")));
    }

    private Object describeAlias() {
        return client.describeAlias(DescribeAliasReq.builder().alias(ALIAS).build()).getCollectionName();
    }

    private Object dropAlias() {
        client.dropAlias(DropAliasReq.builder().alias(ALIAS).build());
        return has(client, ALIAS);
    }

    private List<String> partitions() {
        List<String> names = client.listPartitions(ListPartitionsReq.builder().collectionName(BOOKS).build());
        return names.stream().sorted().collect(Collectors.toList());
    }

    private Object partition() {
        client.createPartition(CreatePartitionReq.builder().collectionName(BOOKS).partitionName("p1").build());
        insert(client, BOOKS, 101, 2, "p1");
        List<Long> found = keys(query(client, keysOf(BOOKS, "id > 0").partitionNames(List.of("p1"))));
        return List.of(partitions(), found);
    }

    /** Releases the collection first: Milvus drops no partition that is loaded. */
    private Object dropPartition() {
        client.releaseCollection(ReleaseCollectionReq.builder().collectionName(BOOKS).build());
        client.dropPartition(DropPartitionReq.builder().collectionName(BOOKS).partitionName("p1").build());
        load(client, BOOKS);
        return partitions();
    }

    /** What all queries of each client found; when they differ, their answers one by one. */
    private Object twoClients() throws Exception {
        List<MilvusClientV2> clients = List.of(client, beside);
        for (int i = 0; i < clients.size(); i++) {
            create(clients.get(i), TWIN);
            insert(clients.get(i), TWIN, 1 + 3L * i, 3, "");
        }
        ExecutorService pool = Executors.newFixedThreadPool(2 * TIMES);
        List<Callable<List<Long>>> queries = IntStream.range(0, 2 * TIMES)
            .mapToObj(i -> (Callable<List<Long>>) () -> twins(clients.get(i % 2))).collect(Collectors.toList());
        List<List<List<Long>>> found = List.of(new ArrayList<>(), new ArrayList<>());
        int i = 0;
        for (Future<List<Long>> query : pool.invokeAll(queries)) {
            found.get(i++ % 2).add(query.get());
        }
        pool.shutdown();
        return List.of(theSame(found.get(0)), theSame(found.get(1)));
    }

    private static List<?> theSame(List<List<Long>> found) {
        return Collections.frequency(found, found.get(0)) == found.size() ? found.get(0) : found;
    }

    private static List<Long> twins(MilvusClientV2 client) {
        return queryKeys(client, TWIN, "id > 0");
    }

    private Object switchDatabase() throws InterruptedException {
        MilvusClientV2 other = new MilvusClientV2(Sdk.config().build());
        try {
            other.useDatabase(DATABASE);
            List<String> names = ownCollections(other);
            List<Long> there = twins(other);
            other.useDatabase("default");
            return List.of(names, there, twins(other));
        } finally {
            other.close();
        }
    }

    private Object deadlineKept() {
        client.withTimeout(CALL_LIMIT_MS, TimeUnit.MILLISECONDS);
        try {
            return count(client);
        } finally {
            client.withTimeout(0, TimeUnit.MILLISECONDS);
        }
    }

    private Object deadlineOver() {
        List<BaseVector> vectors = Collections.nCopies(MANY, new FloatVec(vector(5)));
        SearchReq request = SearchReq.builder().collectionName(BOOKS).data(vectors).limit(10).build();
        client.withTimeout(TOO_SHORT_MS, TimeUnit.MILLISECONDS);
        try {
            return client.search(request).getSearchResults().size();
        } finally {
            client.withTimeout(0, TimeUnit.MILLISECONDS);
        }
    }

    private Object drop() {
        for (String name : List.of(BOOKS, QUICK, TWIN)) {
            drop(client, name);
        }
        return List.of(ownCollections(client), has(client, BOOKS));
    }

    private Object dropDatabase() {
        drop(beside, TWIN);
        client.dropDatabase(DropDatabaseReq.builder().databaseName(DATABASE).build());
        return own(client.listDatabases().getDatabaseNames());
    }
}
