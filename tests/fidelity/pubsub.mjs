// salesforce-pubsub-api-client judges the emulated Pub/Sub API: TLS, login, schemas, Avro and bitmaps by its own means.

import PubSubApiClient from "salesforce-pubsub-api-client";
import { answer } from "./suite.mjs";

const Client = PubSubApiClient.default ?? PubSubApiClient;
const PATIENCE_MS = 10000;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function connected({ salesforce, pubsub }, changed = {}) {
  const { login_url, consumer_key, consumer_secret } = salesforce.credentials;
  const client = new Client(
    {
      authType: "oauth-client-credentials",
      loginUrl: login_url,
      clientId: consumer_key,
      clientSecret: consumer_secret,
      pubSubEndpoint: pubsub.endpoint,
      rejectUnauthorizedSsl: false, // it brings its own list of authorities, and this certificate signed itself
      ...changed,
    },
    SILENT,
  );
  await client.connect();
  return client;
}

/** What a subscription yields until it has so many events, or an error. `begin` starts it with a callback. */
async function collected(client, count, begin) {
  const events = [];
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`only ${events.length} of ${count} events came`)), PATIENCE_MS);
      begin((_subscription, kind, data) => {
        if (kind === "error") resolve({ events, error: { code: data.code ?? data.cause?.code, details: data.details, message: data.message } });
        if (kind === "event") events.push(data);
        if (events.length === count) resolve({ events });
      });
    });
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

await answer({
  async from_the_start(order) {
    const client = await connected(order);
    return collected(client, order.count, (callback) => client.subscribeFromEarliestEvent(order.topic, callback, order.count));
  },
  async after_a_position(order) {
    const first = await connected(order);
    const { events } = await collected(first, 1, (callback) => first.subscribeFromEarliestEvent(order.topic, callback, 1));
    const client = await connected(order);
    const rest = order.count - 1;
    return collected(client, rest, (callback) => client.subscribeFromReplayId(order.topic, callback, rest, events[0].replayId));
  },
  async unknown_topic(order) {
    const client = await connected(order);
    return collected(client, 1, (callback) => client.subscribe("/data/NowhereChangeEvent", callback, 1));
  },
  async unknown_position(order) {
    const client = await connected(order);
    return collected(client, 1, (callback) => client.subscribeFromReplayId(order.topic, callback, 1, 7));
  },
  async foreign_token(order) {
    const { org_id } = order.salesforce.credentials;
    const client = await connected(order, {
      authType: "user-supplied",
      accessToken: `${org_id.slice(0, 15)}!stale`,
      instanceUrl: order.salesforce.base_url,
    });
    return collected(client, 1, (callback) => client.subscribe(order.topic, callback, 1));
  },
});
