// netsuite-rest judges the emulated account: it signs with TBA by means of its own.

import NetsuiteRest from "netsuite-rest";
import { answer } from "./suite.mjs";

const CONTACT = "record/v1/contact";
const MEDIA = { "content-type": "application/json" };

function client({ netsuite }, changed = {}) {
  const { account_id, tba } = netsuite.credentials;
  return new NetsuiteRest({
    base_url: netsuite.base_url,
    realm: account_id,
    consumer_key: tba.consumer_key,
    consumer_secret_key: tba.consumer_secret,
    token: tba.token_id,
    token_secret: tba.token_secret,
    ...changed,
  });
}

function send(order, method, path, body) {
  return client(order).request({ path, method, body: body && JSON.stringify(body), heads: body && MEDIA });
}

/** The id at the end of the location. The client loses `headers` of its answers on today's Node; the raw ones stay. */
function located({ rawHeaders }) {
  const at = rawHeaders.findIndex((name) => name.toLowerCase() === "location");
  return rawHeaders[at + 1].split("/").pop();
}

/** Status, headers and body of a call that should be refused. */
async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return {
      status: error.response.statusCode,
      login: error.response.headers["www-authenticate"] ?? null,
      body: JSON.parse(error.response.body),
    };
  }
  throw new Error("was not refused");
}

await answer({
  async options(order) {
    return { status: (await client(order).request({ path: "*", method: "OPTIONS" })).statusCode };
  },
  async wrong_token(order) {
    const stranger = client(order, { token_secret: "wrong" });
    return refusal(() => stranger.request({ path: `${CONTACT}?limit=1` }));
  },
  async record(order) {
    const made = await send(order, "POST", CONTACT, { firstName: "Ada", lastName: "Łovelace", subsidiary: "1" });
    const id = located(made);
    await send(order, "PATCH", `${CONTACT}/${id}`, { email: "ada@acme.example", title: null });
    const read = await send(order, "GET", `${CONTACT}/${id}?expandSubResources=true`);
    const deleted = await send(order, "DELETE", `${CONTACT}/${id}`);
    const gone = await refusal(() => send(order, "GET", `${CONTACT}/${id}`));
    return { statuses: [made.statusCode, read.statusCode, deleted.statusCode], id, read: read.data, gone };
  },
  async upsert(order) {
    const put = (firstName) => send(order, "PUT", `${CONTACT}/eid:SFC_1`, { firstName, subsidiary: { id: "1" } });
    const [first, again] = [await put("Ada"), await put("Grace")];
    return { statuses: [first.statusCode, again.statusCode], same: located(first) === located(again) };
  },
  async bare_references(order) {
    const made = await send(order, "POST", "record/v1/customer", {
      companyName: "Acme",
      entityStatus: 6,
      subsidiary: "1",
    });
    const id = located(made);
    const { data } = await send(order, "GET", `record/v1/customer/${id}`);
    return { id, status: data.entityStatus, subsidiary: data.subsidiary };
  },
  async same_name_twice(order) {
    const body = { firstName: "Alan", lastName: "Turing", subsidiary: { id: "1" } };
    await send(order, "POST", CONTACT, body);
    return refusal(() => send(order, "POST", CONTACT, body));
  },
  async suiteql_pages(order) {
    for (let n = 0; n < 25; n++) {
      await send(order, "POST", CONTACT, { firstName: `P${String(n).padStart(2, "0")}`, subsidiary: { id: "1" } });
    }
    const q = "SELECT firstname, isinactive, title FROM contact WHERE firstname LIKE 'P%' ORDER BY id";
    const rows = [];
    let page;
    do {
      page = (await send(order, "POST", `query/v1/suiteql?limit=10&offset=${rows.length}`, { q })).data;
      rows.push(...page.items);
    } while (page.hasMore);
    return { total: page.totalResults, names: rows.map((each) => each.firstname), first: rows[0] };
  },
  async bad_suiteql(order) {
    return refusal(() => send(order, "POST", "query/v1/suiteql", { q: "SELECT foo FROM contact" }));
  },
  async unknown_type(order) {
    return refusal(() => send(order, "GET", "record/v1/bad-path"));
  },
  async unknown_id(order) {
    return refusal(() => send(order, "GET", "record/v1/customer/-1"));
  },
  async bad_body(order) {
    return refusal(() => client(order).request({ method: "POST", path: "record/v1/customer", body: "bad body" }));
  },
  async empty_body(order) {
    return refusal(() => client(order).request({ method: "POST", path: "record/v1/customer", body: "{}" }));
  },
  async without_media_type(order) {
    const body = JSON.stringify({ companyName: "Untyped", entityStatus: 6, subsidiary: "1" });
    const made = await client(order).request({ method: "POST", path: "record/v1/customer/", body });
    const list = await client(order).request({ path: "record/v1/customer/" });
    return { status: made.statusCode, id: located(made), ids: list.data.items.map((each) => each.id), count: list.data.count };
  },
  async date_text(order) {
    const q = "SELECT id, companyName FROM customer WHERE dateCreated >= '01/01/2019' AND dateCreated < '01/01/2020'";
    return (await send(order, "POST", "query/v1/suiteql?limit=5", { q })).data;
  },
  async filter(order) {
    const q = encodeURIComponent('firstName START_WITH "P1" AND isInactive IS false');
    const { data } = await send(order, "GET", `${CONTACT}?q=${q}&limit=5`);
    return { total: data.totalResults, count: data.count, more: data.hasMore, rels: data.links.map((each) => each.rel) };
  },
});
