/* SPDX-License-Identifier: Apache-2.0 */
/* Many may be inside at once; closing waits for them and keeps the others out. */
#include "qcow2.h"

void qcow2_gate_init(struct qcow2_gate *g)
{
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->changed, NULL);
}

void qcow2_gate_finish(struct qcow2_gate *g)
{
	(void)pthread_cond_destroy(&g->changed);
	(void)pthread_mutex_destroy(&g->lock);
}

void qcow2_gate_enter(struct qcow2_gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	while (g->closed)
		(void)pthread_cond_wait(&g->changed, &g->lock);
	g->inside++;
	(void)pthread_mutex_unlock(&g->lock);
}

bool qcow2_gate_try(struct qcow2_gate *g)
{
	bool in;

	(void)pthread_mutex_lock(&g->lock);
	in = !g->closed;
	g->inside += in;
	(void)pthread_mutex_unlock(&g->lock);
	return in;
}

void qcow2_gate_leave(struct qcow2_gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	if (--g->inside == 0)
		(void)pthread_cond_broadcast(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
}

void qcow2_gate_close(struct qcow2_gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	while (g->closed)
		(void)pthread_cond_wait(&g->changed, &g->lock);
	g->closed = true;
	while (g->inside > 0)
		(void)pthread_cond_wait(&g->changed, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
}

void qcow2_gate_open(struct qcow2_gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->closed = false;
	(void)pthread_cond_broadcast(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
}
