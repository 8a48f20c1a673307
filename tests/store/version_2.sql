BEGIN TRANSACTION;
CREATE TABLE alerts (
            fingerprint TEXT PRIMARY KEY, rule TEXT NOT NULL, incident INTEGER REFERENCES incidents (id),
            gone BOOLEAN NOT NULL, body TEXT NOT NULL
        );
INSERT INTO "alerts" VALUES('a1','rule-1',1,0,'{"rule":"rule-1","name":"High Task Latency","fingerprint":"a1","severity":"critical","labels":{"alertname":"High Task Latency","pod":"a1"},"state":"firing","active_at":"2026-05-04T03:02:01.987654Z","holds":true,"value":5123.5,"fired_at":"2026-05-04T03:02:01.987654Z","resolved_at":null,"held_at":null,"holds_since":null,"annotations":{"summary":"p95 is 5123 ms"},"actions":["scale_up_agents"],"target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"source":"prometheus"}');
INSERT INTO "alerts" VALUES('a2','rule-1',2,1,'{"rule":"rule-1","name":"High Task Latency","fingerprint":"a2","severity":"critical","labels":{"alertname":"High Task Latency","pod":"a2"},"state":"resolved","active_at":"2026-05-04T03:02:01.987654Z","holds":false,"value":5123.5,"fired_at":"2026-05-04T03:02:01.987654Z","resolved_at":"2026-05-04T03:02:01.987654Z","held_at":null,"holds_since":null,"annotations":{"summary":"p95 is 5123 ms"},"actions":["scale_up_agents"],"target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"source":"prometheus"}');
INSERT INTO "alerts" VALUES('a3','rule-1',NULL,0,'{"rule":"rule-1","name":"High Task Latency","fingerprint":"a3","severity":"critical","labels":{"alertname":"High Task Latency","pod":"a3"},"state":"firing","active_at":"2026-05-04T03:02:01.987654Z","holds":true,"value":5123.5,"fired_at":"2026-05-04T03:02:01.987654Z","resolved_at":null,"held_at":null,"holds_since":null,"annotations":{"summary":"p95 is 5123 ms"},"actions":["scale_up_agents"],"target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"source":"prometheus"}');
CREATE TABLE answers (rule TEXT PRIMARY KEY, at TEXT NOT NULL);
INSERT INTO "answers" VALUES('rule-1','2026-05-04T03:02:01.987654Z');
CREATE TABLE audit (
            incident INTEGER NOT NULL REFERENCES incidents (id), seq INTEGER NOT NULL, at TEXT NOT NULL,
            who TEXT NOT NULL, act TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
            version INTEGER NOT NULL, record TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL,
            PRIMARY KEY (incident, seq)
        );
INSERT INTO "audit" VALUES(1,1,'2026-05-04T03:02:01.987654Z','monitor','opened','alert_fired','{"alert": "a1", "run_began": "[\"run-1\", \"scale_up_agents\", \"prod-1/agents/Deployment/agents\", \"2026-05-04T03:02:01.987654Z\"]"}',1,'9a47d7be9a63487e807dea5816cc95201c57fe2d6b3829fd0a86addf1df79ca0','0000000000000000000000000000000000000000000000000000000000000000','9f116fbecdf35b9ee9f8619c2b4ef08bef7032ce10aba829c937141bbadc3320');
INSERT INTO "audit" VALUES(1,2,'2026-05-04T03:02:01.987654Z','diagnostic','gathered','','{}',0,'0e6713d494c53960d1dae72d1bab9a873b397c355e6dbff69a860542a108c20c','9f116fbecdf35b9ee9f8619c2b4ef08bef7032ce10aba829c937141bbadc3320','6ecbbe9ffcd169aadd87ae39530f806c00da6a5817fcb1ad081024713a852a86');
INSERT INTO "audit" VALUES(1,3,'2026-05-04T03:02:01.987654Z','diagnostic','asked','','{}',0,'23ee67c51fd4b9b32293ac5857ab0cf0ebc1c620316a51cbe0ae9ead7e826172','6ecbbe9ffcd169aadd87ae39530f806c00da6a5817fcb1ad081024713a852a86','f8ef97c88d375aef54082180256613f24268104edfea4711cdb81d6f4440adfb');
INSERT INTO "audit" VALUES(2,1,'2026-05-04T03:02:01.987654Z','monitor','opened','alert_fired','{"alert": "a1"}',1,'29001301e1d0b61b875aa4bc5896b90181286f4bd40f7cc1b05ca5a5db593f54','0000000000000000000000000000000000000000000000000000000000000000','80c92e0b217eec3a074ca888399cb28d1380e2f6642052a320b9103830cb87e7');
INSERT INTO "audit" VALUES(2,2,'2026-05-04T03:02:10.987654Z','ana','closed','','{}',2,'f6dec869704e2204bbb1533a64811495c539665f2012ab4f97fb21aa18e141c7','80c92e0b217eec3a074ca888399cb28d1380e2f6642052a320b9103830cb87e7','c33ef990541abb0ce91d4b7e2cc002ac34d4866dd688b8646b477d4789ef3894');
INSERT INTO "audit" VALUES(2,3,'2026-05-04T03:02:01.987654Z','reporter','reported','version','{"version": "2"}',0,'9208feed655076c1a70a23e431c314d014bd82a22aa18255d6980294a12362af','c33ef990541abb0ce91d4b7e2cc002ac34d4866dd688b8646b477d4789ef3894','733cf98cc25da60f620aeff58825b898d099cfbbd5e452f66fdd461cc73d8a25');
INSERT INTO "audit" VALUES(3,1,'2026-05-04T03:02:01.987654Z','monitor','opened','alert_fired','{"alert": "a1"}',1,'7ea424efbb1f9bcbc920c48523c37be38d0ecc46539bbd1a74bcab85ec51aafb','0000000000000000000000000000000000000000000000000000000000000000','9b7c723c922d297fcd7fb57e99c116d2213acd315629d58fc10f3d14e355e451');
CREATE TABLE cards (
            incident INTEGER PRIMARY KEY REFERENCES incidents (id), channel TEXT NOT NULL, ts TEXT NOT NULL
        );
INSERT INTO "cards" VALUES(1,'C1','1.1');
CREATE TABLE claims (
            incident INTEGER NOT NULL REFERENCES incidents (id), skill TEXT NOT NULL, worker TEXT NOT NULL, lease TEXT,
            again_at TEXT, PRIMARY KEY (incident, skill)
        );
INSERT INTO "claims" VALUES(3,'collect_evidence','w1','2026-05-04T03:02:16.987654Z',NULL);
CREATE TABLE evidence (
            incident INTEGER NOT NULL, seq INTEGER NOT NULL, round INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (incident, seq), FOREIGN KEY (incident, seq) REFERENCES audit (incident, seq)
        );
INSERT INTO "evidence" VALUES(1,2,2,'[[{"id":"e1","source":"pod_logs","about":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"taken_at":"2026-05-04T03:02:01.987654Z","text":"timed out\nagain","origin":"pod agents-1","objects":[],"since":null,"until":null,"truncated":false}],[{"source":"events","why":"403: may not list events"}]]');
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL, at TEXT NOT NULL);
INSERT INTO "facts" VALUES('paused','no','2026-05-04T03:02:01.987654Z');
CREATE TABLE hypotheses (
            incident INTEGER NOT NULL, seq INTEGER NOT NULL, round INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (incident, seq), FOREIGN KEY (incident, seq) REFERENCES audit (incident, seq)
        );
INSERT INTO "hypotheses" VALUES(1,3,2,'[{"fault":"overload","target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"says":"too many","confidence":0.5,"evidence":[{"id":"e1","quote":"timed out"}],"proposal":null}]');
CREATE TABLE incidents (
            id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
            severity TEXT NOT NULL, unresolved BOOLEAN NOT NULL, opened_at TEXT NOT NULL, since TEXT NOT NULL,
            reported INTEGER NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL, record TEXT NOT NULL
        , mark TEXT NOT NULL DEFAULT '', told TEXT NOT NULL DEFAULT '');
INSERT INTO "incidents" VALUES(1,'prod-1/agents/Deployment/agents',1,'verifying','critical',1,'2026-05-04T03:02:01.987654Z','2026-05-04T03:02:01.987654Z',0,3,'f8ef97c88d375aef54082180256613f24268104edfea4711cdb81d6f4440adfb','{"id":1,"key":"prod-1/agents/Deployment/agents","version":1,"state":"verifying","severity":"critical","title":"High Task Latency","opened_at":"2026-05-04T03:02:01.987654Z","since":"2026-05-04T03:02:01.987654Z","target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"origin":"alert","reason":"ran","asked_by":"ana","acked_by":"ben","inputs":{},"round":2,"reopened":1,"collected_at":"2026-05-04T03:02:01.987654Z","diagnosed_at":"2026-05-04T03:02:01.987654Z","open_question":true,"findings":[{"rule":"overload","fault":"overload","target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"says":"too much work","confidence":0.8,"evidence":[{"id":"e1","source":"pod_logs","line":1,"text":"timed out"}],"explains":["high_latency"],"suggests":["scale_up_agents"],"rank":1,"cause":true,"explained_by":null,"groups":{"what":"timeout"}}],"gaps":[{"source":"rollouts","why":"timed out"}],"proposals":[{"playbook":"scale_up_agents","why":"overload","origin":"finding"}],"rulings":[{"guardrail":"namespaces","verdict":"allow","reason":"ok","says":"fine"}],"plan":{"playbook":"scale_up_agents","playbook_digest":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"inputs":{"add":2,"fast":true,"x":1.5},"steps":[{"do":"scale","arguments":{"replicas":6,"by":2.5,"why":null},"says":"scale 4 -> 6","timeout":"PT1M30S","diff":["- 4","+ 6"],"kubectl":"kubectl scale","reversible":true}],"undo":[{"do":"scale","arguments":{"replicas":6,"by":2.5,"why":null},"says":"scale 4 -> 6","timeout":"PT1M30S","diff":["- 4","+ 6"],"kubectl":"kubectl scale","reversible":true}],"reads":{"spec":{"replicas":4,"paused":false},"hpa":null},"before":{"replicas":4},"permission":"approve:scale","quorum":1,"second_person":false,"limits":"llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll","made_at":"2026-05-04T03:02:01.987654Z","expires_at":"2026-05-04T03:17:01.987654Z","nonce":"n1","why":"overload","origin":"finding","verify":{"alert_clears_within":"PT10M","condition":"","holds_for":"PT0S","within":"PT0S"}},"approval":{"id":"ap1","plan":"b4df6479dbe9ee764b6a47b7501b9845a88e39c51421a92be97b67516efff0d5","permission":"approve:scale","quorum":1,"asked_at":"2026-05-04T03:02:01.987654Z","expires_at":"2026-05-04T03:17:01.987654Z","asked_by":"ana","second_person":false,"state":"waiting","decisions":[{"person":"ben","approves":true,"at":"2026-05-04T03:02:01.987654Z","door":"cli","reason":"go"}]},"run":{"id":"run-1","plan":"b4df6479dbe9ee764b6a47b7501b9845a88e39c51421a92be97b67516efff0d5","started_at":"2026-05-04T03:02:01.987654Z","steps":[{"index":0,"undo":false,"action":"act-1","state":"done","started_at":"2026-05-04T03:02:01.987654Z","ended_at":"2026-05-04T03:02:01.987654Z","says":"scaled"}],"ended_at":"2026-05-04T03:02:01.987654Z","undone":false,"about":{}},"says":"overload on agents","resolved_at":null,"alerts":[],"hypotheses":[],"reported":0,"asked":false,"told":""}','1.1.1','1.1.1');
INSERT INTO "incidents" VALUES(2,'k2',2,'resolved','critical',0,'2026-05-04T03:02:01.987654Z','2026-05-04T03:02:10.987654Z',2,3,'733cf98cc25da60f620aeff58825b898d099cfbbd5e452f66fdd461cc73d8a25','{"id":2,"key":"k2","version":2,"state":"resolved","severity":"critical","title":"High Task Latency","opened_at":"2026-05-04T03:02:01.987654Z","since":"2026-05-04T03:02:10.987654Z","target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"origin":"alert","reason":"closed","asked_by":"","acked_by":"","inputs":{},"round":1,"reopened":0,"collected_at":null,"diagnosed_at":null,"open_question":false,"findings":[],"gaps":[],"proposals":[],"rulings":[],"plan":null,"approval":null,"run":null,"says":null,"resolved_at":"2026-05-04T03:02:10.987654Z","alerts":[],"hypotheses":[],"reported":0,"asked":false,"told":""}','2.0.0','');
INSERT INTO "incidents" VALUES(3,'k3',1,'open','critical',1,'2026-05-04T03:02:01.987654Z','2026-05-04T03:02:01.987654Z',0,1,'9b7c723c922d297fcd7fb57e99c116d2213acd315629d58fc10f3d14e355e451','{"id":3,"key":"k3","version":1,"state":"open","severity":"critical","title":"High Task Latency","opened_at":"2026-05-04T03:02:01.987654Z","since":"2026-05-04T03:02:01.987654Z","target":{"namespace":"agents","kind":"Deployment","name":"agents","cluster":"prod-1","uid":"u-1"},"origin":"alert","reason":"","asked_by":"","acked_by":"","inputs":{},"round":1,"reopened":0,"collected_at":null,"diagnosed_at":null,"open_question":false,"findings":[],"gaps":[],"proposals":[],"rulings":[],"plan":null,"approval":null,"run":null,"says":null,"resolved_at":null,"alerts":[],"hypotheses":[],"reported":0,"asked":false,"told":""}','1.0.0','');
CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL REFERENCES incidents (id),
            turn INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL,
            again_at TEXT, at TEXT NOT NULL, sent_at TEXT, channel TEXT, ts TEXT, body TEXT NOT NULL
        );
INSERT INTO "messages" VALUES(1,1,1,'card','c','sent',0,NULL,'2026-05-04T03:02:01.987654Z','2026-05-04T03:02:01.987654Z','C1','1.1','{"n":1}');
INSERT INTO "messages" VALUES(2,1,2,'note','n','waiting',0,NULL,'2026-05-04T03:02:01.987654Z',NULL,NULL,NULL,'{"n":2}');
CREATE TABLE reports (
            incident INTEGER NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (incident, version), FOREIGN KEY (incident, seq) REFERENCES audit (incident, seq)
        );
INSERT INTO "reports" VALUES(2,2,3,'2026-05-04T03:02:01.987654Z','closed by ana');
CREATE TABLE runs (
            incident INTEGER NOT NULL REFERENCES incidents (id), id TEXT NOT NULL, playbook TEXT NOT NULL,
            key TEXT NOT NULL, started_at TEXT NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (incident, id)
        );
INSERT INTO "runs" VALUES(1,'run-1','scale_up_agents','prod-1/agents/Deployment/agents','2026-05-04T03:02:01.987654Z','');
CREATE TABLE said (
            turn INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, taken_at TEXT NOT NULL,
            treated_at TEXT, what TEXT NOT NULL
        );
INSERT INTO "said" VALUES(1,'Ev1','2026-05-04T03:02:01.987654Z','2026-05-04T03:02:01.987654Z',NULL,'{"n":1}');
CREATE TABLE schema_versions (
	number INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	applied_at TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "schema_versions" VALUES(1,'start','2026-05-04T03:02:01.987654Z');
INSERT INTO "schema_versions" VALUES(2,'messages and hypotheses','2026-05-04T03:02:01.987654Z');
CREATE UNIQUE INDEX incidents_one_unresolved ON incidents (key) WHERE unresolved = 1;
CREATE INDEX incidents_unreported ON incidents (id) WHERE reported < version;
CREATE INDEX incidents_key ON incidents (key, id);
CREATE INDEX alerts_rule ON alerts (rule);
CREATE INDEX alerts_incident ON alerts (incident);
CREATE INDEX runs_started ON runs (started_at);
CREATE INDEX incidents_stale ON incidents (id) WHERE unresolved = 0 AND told <> '' AND told <> mark;
CREATE INDEX incidents_untold ON incidents (since) WHERE unresolved = 0 AND told = '';
CREATE INDEX messages_waiting ON messages (incident, turn) WHERE state = 'waiting';
CREATE INDEX messages_incident ON messages (incident, kind, id);
CREATE UNIQUE INDEX messages_one_waiting_card ON messages (incident) WHERE state = 'waiting' AND kind = 'card';
CREATE UNIQUE INDEX messages_note_key ON messages (incident, key) WHERE kind = 'note';
CREATE UNIQUE INDEX cards_place ON cards (channel, ts);
CREATE INDEX said_treated ON said (treated_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('incidents',3);
INSERT INTO "sqlite_sequence" VALUES('messages',2);
INSERT INTO "sqlite_sequence" VALUES('said',1);
COMMIT;
