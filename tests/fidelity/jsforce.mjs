// jsforce judges the emulated org: login, records, queries and their pages, collections, Bulk API 2.0, describe.

import jsforce from "jsforce";
import { answer } from "./suite.mjs";

const VERSION = "67.0";
const POLL = { interval: 50, timeout: 10000 };
const NAMES = Array.from({ length: 450 }, (_, n) => `Number ${String(n).padStart(4, "0")}`);

let org;

/** The error of a call that should be refused. */
async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return { code: error.errorCode, message: error.message, data: error.data ?? null };
  }
  throw new Error("was not refused");
}

await answer({
  async login({ salesforce }) {
    const { login_url, consumer_key, consumer_secret } = salesforce.credentials;
    org = new jsforce.Connection({
      version: VERSION,
      oauth2: { loginUrl: login_url, clientId: consumer_key, clientSecret: consumer_secret },
    });
    return org.authorize({ grant_type: "client_credentials" });
  },
  async wrong_secret({ salesforce }) {
    const { login_url, consumer_key } = salesforce.credentials;
    const stranger = new jsforce.Connection({
      oauth2: { loginUrl: login_url, clientId: consumer_key, clientSecret: "wrong" },
    });
    return refusal(() => stranger.authorize({ grant_type: "client_credentials" }));
  },
  async record() {
    const contacts = org.sobject("Contact");
    const made = await contacts.create({ LastName: "Ókafor", Email: "n@example.com", Birthdate: "1984-02-29" });
    await contacts.update({ Id: made.id, Phone: "1", Email: null });
    const read = await contacts.retrieve(made.id);
    const deleted = await contacts.destroy(made.id);
    return { made, read, deleted, gone: await refusal(() => contacts.retrieve(made.id)) };
  },
  async upsert() {
    const first = await org.sobject("Contact").upsert({ NetSuite_Id__c: "4711", LastName: "Okafor" }, "NetSuite_Id__c");
    const again = await org.sobject("Contact").upsert({ NetSuite_Id__c: "4711", FirstName: "Nia" }, "NetSuite_Id__c");
    return { first, again };
  },
  async refused_value() {
    return refusal(() => org.sobject("Contact").create({ LastName: "Okafor", Email: "123" }));
  },
  async collections() {
    const made = await org.sobject("Contact").create(NAMES.map((LastName) => ({ LastName })), { allowRecursive: true });
    const mixed = await org.sobject("Contact").create([{ LastName: "Good" }, { FirstName: "Nameless" }]);
    const [good] = await org.sobject("Contact").retrieve([mixed[0].id]);
    return { made: made.filter((each) => each.success).length, mixed, good };
  },
  async pages() {
    const soql = "SELECT Id, LastName FROM Contact WHERE LastName LIKE 'Number %' ORDER BY LastName";
    const headers = { "Sforce-Query-Options": "batchSize=200" };
    const first = await org.query(soql, { headers });
    const seen = first.records.map((each) => each.LastName);
    const locators = [];
    for (let page = first; !page.done; seen.push(...page.records.map((each) => each.LastName))) {
      locators.push(page.nextRecordsUrl);
      page = await org.queryMore(page.nextRecordsUrl);
    }
    return { total: first.totalSize, locators, complete: JSON.stringify(seen) === JSON.stringify(NAMES) };
  },
  async quoting() {
    // No backslash: this client does not escape it.
    const LastName = "O'Brien \"Ωmega\" %_ \u202e 👩‍👩‍👧 ' OR Id != '";
    const { id } = await org.sobject("Contact").create({ LastName });
    const found = await org.sobject("Contact").find({ LastName }, ["Id", "LastName"]);
    return { found: found.map((each) => each.Id), id, same: found[0]?.LastName === LastName };
  },
  async bad_query() {
    return refusal(() => org.query("SELECT Id FROM Nowhere__c"));
  },
  async describe() {
    const { fields } = await org.sobject("Contact").describe();
    const everything = await org.describeGlobal();
    return {
      email: fields.find((each) => each.name === "Email"),
      objects: everything.sobjects.map((each) => each.name),
    };
  },
  async limits() {
    await org.limits();
    return { limits: (await org.limits()).DailyApiRequests, header: org.limitInfo.apiUsage };
  },
  async composite() {
    return org.request({
      method: "POST",
      url: `/services/data/v${VERSION}/composite`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        compositeRequest: [
          { method: "GET", url: `/services/data/v${VERSION}/sobjects/Foo`, referenceId: "nothing" },
          { method: "POST", url: `/services/data/v${VERSION}/sobjects/Account`, referenceId: "made", body: { Name: "Acme" } },
          { method: "GET", url: `/services/data/v${VERSION}/sobjects/Account/@{made.id}?fields=Name`, referenceId: "read" },
        ],
      }),
    });
  },
  async bulk_ingest() {
    const job = org.bulk2.createJob({ object: "Contact", operation: "upsert", externalIdFieldName: "NetSuite_Id__c" });
    await job.open();
    await job.uploadData("NetSuite_Id__c,LastName,Email\n901,One,one@example.com\n902,Two,two\n");
    await job.close();
    await job.poll(POLL.interval, POLL.timeout);
    const results = await job.getAllResults();
    return { info: await job.check(), results };
  },
  async bulk_query() {
    org.bulk2.pollInterval = POLL.interval;
    org.bulk2.pollTimeout = POLL.timeout;
    const rows = await (await org.bulk2.query("SELECT LastName FROM Contact WHERE LastName LIKE 'Number %'")).toArray();
    return { rows: rows.length, complete: rows.map((each) => each.LastName).sort().join() === NAMES.join() };
  },
  async deleted_and_updated({ salesforce }) {
    // The lists cover whole seconds that have passed.
    await fetch(`${salesforce.control_url}/time`, { method: "POST", body: JSON.stringify({ advance_s: 2 }) });
    const end = new Date(Date.now() + 60000);
    const start = new Date(Date.now() - 300000);
    return { deleted: await org.sobject("Contact").deleted(start, end), updated: await org.sobject("Contact").updated(start, end) };
  },
});
