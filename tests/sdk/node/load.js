// SPDX-License-Identifier: Apache-2.0

// A load without an end, see ../loads.py.
'use strict';

const { setTimeout: wait } = require('node:timers/promises');

const { ConsistencyLevelEnum } = require('@zilliz/milvus2-sdk-node');

const { checked, errorText, newClient } = require('./client');

const { SDK_COLLECTION, SDK_FIRST_KEY } = process.env;
const WORKERS = 4;
const KEYS_OF_WORKER = 100000;
const FIRST_ROWS = 100; // their keys are below
const PAUSE = 20; // ms after an error

const vector = key => Array(4).fill(key < FIRST_ROWS ? key : -1000);

async function search(client, key) {
  const { results } = checked(await client.search({
    collection_name: SDK_COLLECTION,
    data: vector(key),
    limit: 1,
    consistency_level: ConsistencyLevelEnum.Bounded,
  }));
  return Number(results[0].id);
}

async function insert(client, collection_name, row) {
  return Number(checked(await client.insert({ collection_name, data: [row] })).insert_cnt);
}

async function outcomeOf(what, key, asked) {
  let outcome;
  try {
    outcome = { found: await asked };
  } catch (error) {
    outcome = { error: errorText(error) };
    await wait(PAUSE);
  }
  process.stdout.write(`${JSON.stringify({ what, key, ...outcome })}\n`);
}

async function load() {
  const client = newClient({ maxRetries: 0 }); // who sends an insert twice would be the daemon
  await client.connectPromise;
  let ending = false;
  process.on('SIGTERM', () => { ending = true; });
  const work = async firstKey => {
    for (let key = firstKey; !ending; key++) {
      const known = key % FIRST_ROWS;
      await outcomeOf('search', known, search(client, known));
      await outcomeOf('keyed', key, insert(client, SDK_COLLECTION, { id: key, vector: vector(key) }));
      await outcomeOf('auto', key, insert(client, `${SDK_COLLECTION}_auto`, { tag: key, vector: vector(key) }));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, i) => work(Number(SDK_FIRST_KEY) + i * KEYS_OF_WORKER)));
}

module.exports = { load };
