// Starts the page: asks what the device is and can, and shows that.

import { startCards } from './cards.js';
import { startDevice } from './device.js';
import { tell, trouble } from './dom.js';
import { startDoubts } from './doubts.js';
import { listen } from './events.js';
import { startHistory } from './history.js';
import { known, refresh } from './known.js';
import { heardLearned, heardLearning, startLearning } from './learning.js';
import { heardAnswer, heardCamera, startLive } from './live.js';
import { startMatrix } from './matrix.js';

const LOST = 'The device does not answer. If it was started again with --lan, open the link that its terminal shows now.';

startCards();
startDevice();
startDoubts();
startMatrix();
startHistory();
await refresh();
while (!known.device) {
  trouble(LOST);
  await new Promise((done) => setTimeout(done, 2000));
  await refresh();
}
trouble('');
await startLearning().catch((error) => tell(error.message));
listen({
  hello: ({ revision }) => {
    trouble('');
    known.revision = revision;
    refresh();
  },
  changed: ({ revision }) => {
    known.revision = revision;
    refresh();
  },
  waiting: refresh,
  learning: heardLearning,
  learned: (learned) => {
    heardLearned(learned);
    refresh();
  },
  answer: heardAnswer,
  camera: heardCamera,
}, () => trouble(LOST));
startLive();
