import { render } from 'preact';
import { ApiClient } from './api/client.ts';
import { Session } from './api/session.ts';
import { App } from './app.tsx';
import { Fleet } from './state/fleet.ts';
import './styles/theme.css';
import './styles/page.css';
import './styles/overview.css';
import './styles/metric.css';
import './styles/incidents.css';
import './styles/system.css';
import './styles/try.css';

const session = new Session();
const client = new ApiClient(new URL('api/v1/', document.baseURI).href, session);
const fleet = new Fleet(client);
fleet.start(session);

const page = document.getElementById('page');
if (page !== null) render(<App client={client} fleet={fleet} session={session} />, page);
