// Everything works without this: it saves reloads, keeps the place, and shows times in the reader's own zone.
import { watchLinks, watchForms, watchHistory } from "./regions.js";
import { goLive } from "./live.js";
import { watchDialogs } from "./dialogs.js";
import { localTimes, wideMenu, passingNotices } from "./comforts.js";

watchLinks();
watchForms();
watchHistory();
watchDialogs();
wideMenu();
passingNotices();
localTimes(document);
goLive();
