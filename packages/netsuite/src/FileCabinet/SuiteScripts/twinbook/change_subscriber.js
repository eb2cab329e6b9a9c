/**
 * The same as the change notifier, but after the commit and outside of the save: an event subscriber, from release
 * 2026.2 on. See options/event-subscriber.
 *
 * @NApiVersion 2.1
 * @NScriptType EventSubscriber
 * @NModuleScope SameAccount
 */
define(['./lib/ping'], (ping) => {
  const handle = (event) => {
    const type = String(event.context.recordType).toLowerCase();
    ping.send([{ type, id: String(event.payload.recordId) }]);
  };

  return { handle };
});
