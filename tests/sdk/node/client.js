// SPDX-License-Identifier: Apache-2.0

// The client, and what it tells of a failure.
'use strict';

const { ErrorCode, MilvusClient } = require('@zilliz/milvus2-sdk-node');

const { SDK_URI, SDK_USER, SDK_PASSWORD } = process.env;

// The SDK gives most failures back in the reply, and an empty reply for an RPC that the server has not.
function checked(reply) {
  const status = reply.status ?? reply;
  if (status.error_code === undefined) {
    throw new Error(`an empty reply: ${JSON.stringify(reply)}`);
  }
  if (status.error_code !== ErrorCode.SUCCESS) {
    throw status;
  }
  return reply;
}

function errorText(error) {
  const status = error.status ?? error; // an insert whose collection is not there throws the reply about that
  if (status.error_code !== undefined) {
    return `${status.error_code} ${status.code}: ${status.reason}`;
  }
  return `${error.name} ${error.code ?? ''}: ${error.details ?? error.message}`;
}

function newClient(settings = {}) {
  return new MilvusClient({ address: SDK_URI, username: SDK_USER, password: SDK_PASSWORD, ...settings });
}

function tell(step, ok, result, error) {
  process.stdout.write(`${JSON.stringify({ step, ok, result, error })}\n`);
}

module.exports = { checked, errorText, newClient, tell };
