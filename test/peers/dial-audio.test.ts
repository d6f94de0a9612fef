import { dialAudio } from './support/dial-audio.ts';

dialAudio('conversations');
