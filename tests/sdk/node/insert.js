// SPDX-License-Identifier: Apache-2.0

// Inserts as it is told, see ../inserting.py.
'use strict';

const { createInterface } = require('node:readline');

const { checked, errorText, newClient, tell } = require('./client');

async function insertAsTold() {
  const client = newClient();
  for await (const line of createInterface({ input: process.stdin })) {
    const { collection, row } = JSON.parse(line);
    try {
      const reply = checked(await client.insert({ collection_name: collection, data: [row] }));
      tell('insert', true, Number(reply.insert_cnt), null);
    } catch (error) {
      tell('insert', false, null, errorText(error));
    }
  }
}

module.exports = { insertAsTold };
