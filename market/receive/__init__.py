"""The receive loop: UDP datagrams in, decisions out, in one compiled function without the interpreter.

``loop.run`` owns an engine for as long as it runs: it polls the sockets of the channels and of the control
link, takes each datagram as a step with the time at which the kernel received it, and sends what the step
made before it looks at the next one. Sockets, threads and settings are the business of its caller. Linux.
"""
