// SPDX-License-Identifier: Apache-2.0

// Each feature of Node's MilvusClient once: a line of JSON a step, see ../steps.py. Or what else SDK_MODE says.
'use strict';

const {
  ConsistencyLevelEnum,
  DataType,
  IndexType,
  MetricType,
  RRFRanker,
} = require('@zilliz/milvus2-sdk-node');
const { checked, errorText, newClient, tell } = require('./client');
const { insertAsTold } = require('./insert');
const { load } = require('./load');

const { SDK_PREFIX, SDK_DATABASE, SDK_MODE } = process.env;
const BOOKS = `${SDK_PREFIX}_books`;
const QUICK = `${SDK_PREFIX}_quick`;
const TWIN = `${SDK_PREFIX}_twin`;
const ALIAS = `${SDK_PREFIX}_alias`;
const CALL_LIMIT = 20000; // ms
const TOO_SHORT = 100; // ms
const MANY = 4000; // vectors in one search, so that no server is done within TOO_SHORT
const TIMES = 10; // queries that each of two clients has under way at once

const FIELDS = [
  { name: 'id', data_type: DataType.Int64, is_primary_key: true },
  { name: 'title', data_type: DataType.VarChar, max_length: 64 },
  { name: 'vector', data_type: DataType.FloatVector, dim: 4 },
];
const INDEX = { field_name: 'vector', index_type: IndexType.FLAT, metric_type: MetricType.L2 };

const vector = x => [x, 1, 0, 0];
const row = (id, title = `t${id}`) => ({ id, title, vector: vector(id) });
const range = (first, count) => Array.from({ length: count }, (_, i) => first + i);
const rounded = number => Math.round(number * 1000) / 1000;
const own = names => names.filter(name => name.startsWith(SDK_PREFIX)).sort();
const keys = rows => rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
const titles = rows => rows.map(({ id, title }) => [Number(id), title]).sort(([a], [b]) => a - b);
const hits = results => results.map(({ id, score }) => [Number(id), rounded(score)]);

// What all are; repetitions that differ are given one by one.
function theSame(found) {
  return found.every(ids => JSON.stringify(ids) === JSON.stringify(found[0])) ? found[0] : found;
}

async function ownCollections(client) {
  return own(checked(await client.showCollections()).data.map(({ name }) => name));
}

async function ownDatabases(client) {
  return own(checked(await client.listDatabases()).db_names);
}

async function query(client, collection_name, filter, settings = {}) {
  return checked(await client.query({ collection_name, filter, output_fields: ['id'], ...settings })).data;
}

async function count(client, settings = {}) {
  return Number(checked(await client.count({ collection_name: BOOKS, ...settings })).data);
}

function create(client, collection_name) {
  return client.createCollection({
    collection_name,
    fields: FIELDS,
    index_params: [{ ...INDEX }],
    consistency_level: ConsistencyLevelEnum.Strong,
  });
}

async function indexes(client, collection_name) {
  return checked(await client.listIndexes({ collection_name })).indexes;
}

async function has(client, collection_name) {
  return checked(await client.hasCollection({ collection_name })).value;
}

const twins = async client => keys(await query(client, TWIN, 'id > 0'));

let client; // of the default database
let beside; // of the database of this run

// A step each, in the order in which they run.
const steps = {
  async connect() {
    client = newClient();
    await client.connectPromise;
    return ownCollections(client);
  },

  async connect_with_timeout() {
    const other = newClient({ timeout: CALL_LIMIT });
    await other.connectPromise;
    const found = await ownCollections(other);
    await other.closeConnection();
    return found;
  },

  async server_version() {
    return checked(await client.getVersion()).version;
  },

  async create_database() {
    checked(await client.createDatabase({ db_name: SDK_DATABASE }));
    return ownDatabases(client);
  },

  async connect_with_database() {
    beside = newClient({ database: SDK_DATABASE });
    await beside.connectPromise;
    return ownCollections(beside);
  },

  async create_with_schema() {
    checked(await create(client, BOOKS));
    return indexes(client, BOOKS);
  },

  async create_by_dimension() {
    checked(await client.createCollection({ collection_name: QUICK, dimension: 4 }));
    return indexes(client, QUICK);
  },

  async insert() {
    const reply = await client.insert({ collection_name: BOOKS, data: range(1, 10).map(id => row(id)) });
    return Number(checked(reply).insert_cnt);
  },

  async upsert() {
    const reply = await client.upsert({ collection_name: BOOKS, data: [row(10, 'new'), row(11, 'new')] });
    return Number(checked(reply).upsert_cnt);
  },

  async search() {
    const reply = await client.search({
      collection_name: BOOKS,
      data: vector(2.2),
      limit: 3,
      output_fields: ['id', 'title'],
    });
    const { results } = checked(reply);
    return [hits(results), results.map(({ title }) => title)];
  },

  async query() {
    const found = await query(client, BOOKS, 'id >= 9', { output_fields: ['id', 'title'] });
    return [titles(found), await count(client)];
  },

  async get() {
    const reply = await client.get({ collection_name: BOOKS, ids: [1, 11], output_fields: ['id', 'title'] });
    return titles(checked(reply).data);
  },

  async delete() {
    checked(await client.delete({ collection_name: BOOKS, ids: [1] }));
    checked(await client.delete({ collection_name: BOOKS, filter: 'id in [2, 3]' }));
    return keys(await query(client, BOOKS, 'id < 6'));
  },

  async hybrid_search() {
    const reply = await client.search({
      collection_name: BOOKS,
      data: [5.2, 6.1].map(x => ({ anns_field: 'vector', data: vector(x), limit: 3 })),
      rerank: RRFRanker(),
      limit: 4,
    });
    return hits(checked(reply).results);
  },

  async describe() {
    const described = checked(await client.describeCollection({ collection_name: BOOKS }));
    const index = checked(await client.describeIndex({ collection_name: BOOKS, field_name: 'vector' }));
    const { value } = index.index_descriptions[0].params.find(({ key }) => key === 'metric_type');
    return [described.schema.fields.map(({ name }) => name), value];
  },

  async alias() {
    checked(await client.createAlias({ collection_name: BOOKS, alias: ALIAS }));
    const reply = await client.get({ collection_name: ALIAS, ids: [7], output_fields: ['id'] });
    return keys(checked(reply).data);
  },

  async describe_alias() {
    const reply = await client.describeAlias({ alias: ALIAS, collection_name: BOOKS }); // asks for both
    return checked(reply).collection;
  },

  async drop_alias() {
    checked(await client.dropAlias({ alias: ALIAS }));
    return has(client, ALIAS);
  },

  async partition() {
    checked(await client.createPartition({ collection_name: BOOKS, partition_name: 'p1' }));
    const data = [row(101), row(102)];
    checked(await client.insert({ collection_name: BOOKS, partition_name: 'p1', data }));
    const found = await query(client, BOOKS, 'id > 0', { partition_names: ['p1'] });
    const partitions = checked(await client.listPartitions({ collection_name: BOOKS }));
    return [[...partitions.partition_names].sort(), keys(found)];
  },

  async drop_partition() {
    checked(await client.releaseCollection({ collection_name: BOOKS })); // none that is loaded can be dropped
    checked(await client.dropPartition({ collection_name: BOOKS, partition_name: 'p1' }));
    checked(await client.loadCollection({ collection_name: BOOKS }));
    return checked(await client.listPartitions({ collection_name: BOOKS })).partition_names;
  },

  async two_clients() {
    for (const [each, first] of [[client, 1], [beside, 4]]) {
      checked(await create(each, TWIN));
      const data = range(first, 3).map(id => row(id));
      checked(await each.insert({ collection_name: TWIN, data }));
    }
    const found = await Promise.all(range(0, 2 * TIMES).map(i => twins(i % 2 ? beside : client)));
    return [0, 1].map(which => theSame(found.filter((_, i) => i % 2 === which)));
  },

  async switch_database() {
    const other = newClient();
    await other.connectPromise;
    checked(await other.useDatabase({ db_name: SDK_DATABASE }));
    const found = [await ownCollections(other), await twins(other)];
    checked(await other.useDatabase({ db_name: 'default' }));
    return [...found, await twins(other)];
  },

  async deadline_kept() {
    return count(client, { timeout: CALL_LIMIT });
  },

  async deadline_over() {
    const data = range(0, MANY).map(() => vector(5));
    const reply = await client.search({ collection_name: BOOKS, data, limit: 10, timeout: TOO_SHORT });
    return checked(reply).results.length;
  },

  async missing_collection() {
    return query(client, `${BOOKS}_missing`, 'id > 0');
  },

  async bad_filter() {
    return query(client, BOOKS, 'no_such_field > 0');
  },

  async drop() {
    for (const collection_name of [BOOKS, QUICK, TWIN]) {
      checked(await client.dropCollection({ collection_name }));
    }
    return [await ownCollections(client), await has(client, BOOKS)];
  },

  async drop_database() {
    checked(await beside.dropCollection({ collection_name: TWIN }));
    checked(await client.dropDatabase({ db_name: SDK_DATABASE }));
    return ownDatabases(client);
  },
};

async function takeSteps() {
  for (const [step, run] of Object.entries(steps)) {
    try {
      tell(step, true, await run(), null);
    } catch (error) {
      tell(step, false, null, errorText(error));
    }
  }
}

async function main() {
  await ({ load, insert: insertAsTold }[SDK_MODE] ?? takeSteps)();
  process.exit(0); // its heartbeats would keep it alive
}

main();
