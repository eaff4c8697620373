/// placeholder while the world is being written
pub struct Levers<'a>(std::marker::PhantomData<&'a mut ()>);
