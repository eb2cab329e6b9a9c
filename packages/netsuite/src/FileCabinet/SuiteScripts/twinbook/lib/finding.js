/**
 * Looks records up by SuiteQL. Names come from the contract, checked; values are bound, never part of the text.
 *
 * @NApiVersion 2.1
 * @NModuleScope SameAccount
 */
define(['N/query', 'N/error'], (query, error) => {
  const TIME = 'YYYY-MM-DD HH24:MI:SS';
  const VERSION = `TO_CHAR(c.lastmodifieddate, '${TIME}') AS version`;
  const FORMS = { date: 'YYYY-MM-DD', datetime: TIME };
  const FOLDED = {
    email: 'LOWER(c.email)',
    entityid: 'LOWER(c.entityid)',
    companyname: 'LOWER(TRIM(c.companyname))',
  };
  const ADDRESS = ['b.defaultbilling', 'a.addr1', 'a.addr2', 'a.addr3', 'a.city', 'a.state', 'a.zip', 'a.country'];
  /** runSuiteQL gives no more rows, and does not say when there are more. */
  const MAX_ROWS = 5000;

  const sqlOf = (column) => {
    const plain = `c.${column.name}`;
    return column.as === 'text' ? plain : `TO_CHAR(${plain}, '${FORMS[column.as]}') AS ${column.name}`;
  };

  const selected = (record, shape) => {
    const parts = ['c.id', ...shape.columns.map(sqlOf), VERSION];
    if (record === 'contact') parts.push('k.id AS customerid');
    if (shape.subsidiary) parts.push('s.subsidiary');
    if (shape.addresses) parts.push(...ADDRESS);
    return [...new Set(parts)].join(', ');
  };

  const joins = (record, shape) => {
    const parts = [`FROM ${record} c`];
    if (record === 'contact') parts.push('LEFT JOIN customer k ON k.id = c.company');
    if (shape.subsidiary) {
      parts.push("LEFT JOIN customersubsidiaryrelationship s ON s.entity = c.id AND s.isprimarysub = 'T'");
    }
    if (shape.addresses) {
      parts.push(`LEFT JOIN ${record}addressbook b ON b.entity = c.id`);
      parts.push("AND (b.defaultbilling = 'T' OR b.defaultshipping = 'T')");
      parts.push(`LEFT JOIN ${record}addressbookentityaddress a ON a.nkey = b.addressbookaddress`);
    }
    return parts.join(' ');
  };

  const run = (sql, params) => {
    const rows = query.runSuiteQL({ query: sql, params }).asMappedResults();
    if (rows.length >= MAX_ROWS) {
      const message = `More than ${MAX_ROWS} records match. Ask for fewer keys in one call.`;
      throw error.create({ name: 'TOO_MANY_ROWS', message, notifyOff: true });
    }
    return rows;
  };

  /** A row as the REST service answers it: texts only, lower-case keys, empty columns absent. */
  const plain = (row) => {
    const shown = {};
    Object.keys(row).forEach((name) => {
      const value = row[name];
      if (value === null || value === undefined) return;
      shown[name.toLowerCase()] = typeof value === 'boolean' ? (value ? 'T' : 'F') : String(value);
    });
    return shown;
  };

  const marks = (values) => values.map(() => '?').join(', ');

  /** Records that match any of the keys. */
  const find = ({ record, by, shape }) => {
    const terms = [];
    const params = [];
    Object.keys(by).forEach((name) => {
      if (by[name].length === 0) return;
      terms.push(`${FOLDED[name] || `c.${name}`} IN (${marks(by[name])})`);
      by[name].forEach((value) => {
        if (name === 'id') params.push(Number(value));
        else params.push(FOLDED[name] ? value.trim().toLowerCase() : value);
      });
    });
    if (terms.length === 0) return [];
    const sql = `SELECT ${selected(record, shape)} ${joins(record, shape)} WHERE ${terms.join(' OR ')} ORDER BY c.id`;
    return run(sql, params).map(plain);
  };

  /** Ids by external id, of those that exist. */
  const byExternalId = (record, externalIds) => {
    const found = new Map();
    if (externalIds.length === 0) return found;
    const sql = `SELECT c.id, c.externalid FROM ${record} c WHERE c.externalid IN (${marks(externalIds)})`;
    run(sql, externalIds)
      .map(plain)
      .forEach((row) => found.set(row.externalid, row.id));
    return found;
  };

  /** When records were last modified, by id. */
  const versions = (record, ids) => {
    const found = new Map();
    if (ids.length === 0) return found;
    const sql = `SELECT c.id, ${VERSION} FROM ${record} c WHERE c.id IN (${marks(ids)})`;
    run(sql, ids.map(Number))
      .map(plain)
      .forEach((row) => found.set(row.id, row.version));
    return found;
  };

  return { find, byExternalId, versions };
});
