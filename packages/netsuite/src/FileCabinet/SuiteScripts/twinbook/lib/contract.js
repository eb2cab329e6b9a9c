/**
 * What a call to the batch RESTlet may hold. Whatever is malformed is refused before anything is read or written, with
 * a message that names the place and the remedy.
 *
 * @NApiVersion 2.1
 * @NModuleScope SameAccount
 */
define(['N/error'], (error) => {
  const VERSION = 1;
  const SCRIPT = '1.0.0';
  const MAX_WRITES = 200;
  const MAX_KEYS = 2000;
  const MAX_LIST = 1000;
  const MAX_COLUMNS = 200;
  const MAX_SECONDS = 240;
  const DEFAULT_SECONDS = 40;

  const RECORDS = ['contact', 'customer'];
  const ACTIONS = ['find', 'write'];
  const FORMS = ['text', 'date', 'datetime'];
  const ADDRESS = ['addr1', 'addr2', 'addr3', 'city', 'state', 'zip', 'country'];
  const KEYS = { contact: ['id', 'externalid', 'email', 'entityid'], customer: ['id', 'externalid', 'companyname'] };

  const NAME = /^[a-z][a-z0-9_]{0,63}$/;
  const CUSTOM = /^custentity[a-z0-9_]{1,54}$/;
  const ID = /^-?[0-9]{1,15}$/;
  const EXTERNAL_ID = /^[A-Za-z0-9_-]{1,255}$/;

  const refuse = (place, problem) => {
    throw error.create({ name: 'INVALID_INPUT', message: `${place} ${problem}`, notifyOff: true });
  };

  const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

  const object = (value, place, members) => {
    if (!isObject(value)) refuse(place, 'must be an object.');
    const strange = Object.keys(value).find((name) => !members.includes(name));
    if (strange !== undefined) {
      refuse(`${place}.${strange.slice(0, 64)}`, `is unknown. Leave it out; known are ${members.join(', ')}.`);
    }
    return value;
  };

  const list = (value, place, most) => {
    if (!Array.isArray(value)) refuse(place, 'must be a list.');
    if (value.length > most) refuse(place, `holds ${value.length} items. Send at most ${most} in one call.`);
    return value;
  };

  const text = (value, place, pattern, what) => {
    if (typeof value !== 'string' || (pattern && !pattern.test(value))) refuse(place, `must be ${what}.`);
    return value;
  };

  const choice = (value, place, known) => {
    if (!known.includes(value)) refuse(place, `must be one of ${known.join(', ')}.`);
    return value;
  };

  const flag = (value, place) => {
    if (value === undefined) return false;
    if (typeof value !== 'boolean') refuse(place, 'must be true or false.');
    return value;
  };

  const columns = (value, place) =>
    list(value, place, MAX_COLUMNS).map((item, index) => {
      const at = `${place}[${index}]`;
      const column = object(item, at, ['name', 'as']);
      return {
        name: text(column.name, `${at}.name`, NAME, 'a field id in lower case'),
        as: choice(column.as === undefined ? 'text' : column.as, `${at}.as`, FORMS),
      };
    });

  const shape = (value, place) => {
    const wanted = object(value, place, ['columns', 'addresses', 'subsidiary']);
    return {
      columns: columns(wanted.columns, `${place}.columns`),
      addresses: flag(wanted.addresses, `${place}.addresses`),
      subsidiary: flag(wanted.subsidiary, `${place}.subsidiary`),
    };
  };

  const keys = (record, value) => {
    if (!isObject(value)) refuse('by', 'must be an object of lists by field.');
    let count = 0;
    const by = {};
    Object.keys(value).forEach((name) => {
      const at = `by.${name.slice(0, 64)}`;
      if (!KEYS[record].includes(name) && !CUSTOM.test(name)) {
        refuse(at, `cannot be searched by. Known are ${KEYS[record].join(', ')} and custom entity fields.`);
      }
      const pattern = name === 'id' ? ID : null;
      const what = name === 'id' ? 'an internal id' : 'a text';
      by[name] = list(value[name], at, MAX_LIST).map((item, index) => text(item, `${at}[${index}]`, pattern, what));
      count += by[name].length;
    });
    if (count > MAX_KEYS) refuse('by', `holds ${count} keys. Send at most ${MAX_KEYS} in one call.`);
    return by;
  };

  const fields = (value, place) => {
    if (!isObject(value)) refuse(place, 'must be an object.');
    Object.keys(value).forEach((name) => {
      const at = `${place}.${name.slice(0, 64)}`;
      if (!NAME.test(name)) refuse(at, 'is no field id. Use the script id in lower case.');
      const held = value[name];
      if (held !== null && !['string', 'boolean', 'number'].includes(typeof held)) {
        refuse(at, 'must be a text, a number, true, false or null.');
      }
    });
    return value;
  };

  const address = (value, place) => {
    if (value === undefined) return null;
    const lines = object(value, place, ADDRESS);
    Object.keys(lines).forEach((name) => {
      if (lines[name] !== null && typeof lines[name] !== 'string') refuse(`${place}.${name}`, 'must be a text or null.');
    });
    return lines;
  };

  const MEMBERS = {
    create: ['key', 'op', 'externalId', 'fields', 'address'],
    update: ['key', 'op', 'id', 'ifVersion', 'fields', 'address'],
    delete: ['key', 'op', 'id'],
  };

  const write = (value, place) => {
    if (!isObject(value)) refuse(place, 'must be an object.');
    const op = choice(value.op, `${place}.op`, Object.keys(MEMBERS));
    object(value, place, MEMBERS[op]);
    const item = { op, key: text(value.key, `${place}.key`, /^[\s\S]{1,255}$/, 'a text of 1 to 255 characters') };
    if (op === 'create') {
      const what = 'a text of letters, digits, _ and -';
      item.externalId = text(value.externalId, `${place}.externalId`, EXTERNAL_ID, what);
    } else {
      item.id = text(value.id, `${place}.id`, ID, 'an internal id');
    }
    if (op !== 'delete') {
      item.fields = fields(value.fields, `${place}.fields`);
      item.address = address(value.address, `${place}.address`);
    }
    if (value.ifVersion !== undefined) item.ifVersion = text(value.ifVersion, `${place}.ifVersion`, null, 'a text');
    return item;
  };

  const writes = (value) => {
    const items = list(value, 'writes', MAX_WRITES).map((item, index) => write(item, `writes[${index}]`));
    const seen = new Map();
    items.forEach((item, index) => {
      if (seen.has(item.key)) refuse(`writes[${index}].key`, `is that of writes[${seen.get(item.key)}] too.`);
      seen.set(item.key, index);
    });
    return items;
  };

  const seconds = (value) => {
    if (value === undefined) return DEFAULT_SECONDS;
    if (typeof value !== 'number' || !(value > 0 && value <= MAX_SECONDS)) {
      refuse('seconds', `must be a number above 0 and at most ${MAX_SECONDS}.`);
    }
    return value;
  };

  const parsed = (body) => {
    if (typeof body !== 'string') return body;
    try {
      return JSON.parse(body);
    } catch (_) {
      return refuse('The body', 'must be JSON.');
    }
  };

  /** The request with its defaults filled in; throws INVALID_INPUT. */
  const understood = (body) => {
    const given = parsed(body);
    if (!isObject(given)) refuse('The body', 'must be a JSON object.');
    if (given.version !== VERSION) {
      refuse('version', `must be ${VERSION}. Deploy the package that belongs to this release of Twinbook.`);
    }
    const action = choice(given.action, 'action', ACTIONS);
    if (action === 'find') {
      object(given, 'The body', ['version', 'action', 'record', 'by', 'columns', 'addresses', 'subsidiary']);
      const record = choice(given.record, 'record', RECORDS);
      const { columns: wanted, addresses, subsidiary } = given;
      const asked = shape({ columns: wanted, addresses, subsidiary }, 'The body');
      return { action, record, by: keys(record, given.by), shape: asked };
    }
    object(given, 'The body', ['version', 'action', 'record', 'writes', 'return', 'seconds']);
    return {
      action,
      record: choice(given.record, 'record', RECORDS),
      writes: writes(given.writes),
      shape: given.return === undefined ? null : shape(given.return, 'return'),
      seconds: seconds(given.seconds),
    };
  };

  return { VERSION, SCRIPT, MAX_WRITES, MAX_KEYS, MAX_COLUMNS, understood };
});
